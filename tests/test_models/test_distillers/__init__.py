"""Tests of the distillers."""
