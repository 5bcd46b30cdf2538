"""Tests of who learns from whom."""
