"""Stages and the hook that runs them."""
