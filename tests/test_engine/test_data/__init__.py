"""Streams of randomness and loaders."""
