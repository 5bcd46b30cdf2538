"""Tests of how sure a network is."""
