"""Checkpoints, resume, stops, student files."""
