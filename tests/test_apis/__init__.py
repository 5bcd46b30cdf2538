"""Tests of tst_mm.apis."""
