"""Tests of tst_mm.datasets.layouts."""
