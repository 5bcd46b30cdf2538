"""Tests of the benchmarks: what they count, what they write."""
