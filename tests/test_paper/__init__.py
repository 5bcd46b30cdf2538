"""Tests of tst_mm.paper, one file a module."""
