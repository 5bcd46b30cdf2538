"""Tests of the operators, one file a family."""
