"""Workers of data loaders and SIGTERM: the main process alone decides when a run stops."""

import multiprocessing
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

from torch.utils.data import DataLoader


def outlive_sigterm(loader: DataLoader) -> None:
    """Let the workers of a loader ignore SIGTERM, which schedulers send to every process of a run.

    Otherwise they die, and the loader's error ends the run before it has saved. They end with
    their loader, or with the main process. Call it before the loader is iterated over.
    """
    loader.worker_init_fn = partial(_ignore_sigterm, loader.worker_init_fn)


def end_workers() -> None:
    """Kill what is left of the workers; for the end of the process, which would wait for them."""
    for child in multiprocessing.active_children():
        if child.daemon:
            child.kill()


def _ignore_sigterm(initialize: Callable[[int], Any] | None, worker: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if initialize is not None:
        initialize(worker)
