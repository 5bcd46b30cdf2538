"""Tests of tst_mm.experiments."""
