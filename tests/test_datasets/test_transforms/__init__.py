"""Tests of tst_mm.datasets.transforms."""
