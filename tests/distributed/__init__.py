"""Runs of two processes over gloo, beside the same run of one process."""
