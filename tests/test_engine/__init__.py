"""Tests of tst_mm.engine."""
