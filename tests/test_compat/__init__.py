"""Tests of tst_mm.compat."""
