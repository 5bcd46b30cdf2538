"""Tests of the backbones and of weights from elsewhere."""
