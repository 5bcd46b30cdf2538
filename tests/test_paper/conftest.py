"""Runners of tiny but real runs, as those of the engine."""

from test_engine.conftest import make_runner  # noqa: F401
