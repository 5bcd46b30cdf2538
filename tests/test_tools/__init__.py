"""Tests of what the scripts in tools are made of."""
