"""Tests of the augmenter's objectives."""
