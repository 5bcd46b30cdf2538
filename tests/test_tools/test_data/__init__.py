"""Tests of what the scripts in tools/data are made of."""
