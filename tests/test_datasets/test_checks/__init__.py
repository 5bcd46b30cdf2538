"""Tests of tst_mm.datasets.checks."""
