"""Runners of tiny but real runs, as those of the engine."""

from test_docs.conftest import page_space  # noqa: F401
from test_engine.conftest import amp, make_runner  # noqa: F401
