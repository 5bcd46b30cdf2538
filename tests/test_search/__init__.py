"""Tests of tst_mm.search."""
