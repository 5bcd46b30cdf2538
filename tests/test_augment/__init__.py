"""Tests of tst_mm.augment, one file a module."""
