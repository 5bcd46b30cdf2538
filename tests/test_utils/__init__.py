"""Tests of tst_mm.utils."""
