"""Workers of data loaders and signals: the main process alone decides when a run stops."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import partial
from multiprocessing.context import ForkContext, ForkProcess
from threading import Thread
from typing import Any

from torch.utils.data import DataLoader


def outlive_signals(loader: DataLoader) -> None:
    """Let the workers of a loader obey a SIGTERM of their main process only, and no Ctrl-C.

    Schedulers send the one, terminals the other to every process of a run. Workers that die of it
    end the run with an error before it has saved. Call this before the loader is iterated over.
    """
    if hasattr(signal, 'sigwaitinfo'):  # not on macOS
        loader.worker_init_fn = partial(_initialize, loader.worker_init_fn)
        if loader.num_workers and _forks(loader):
            loader.multiprocessing_context = _Context()


class _Worker(ForkProcess):
    """A process that is born with both signals blocked: none finds it before ``_initialize``."""

    def start(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Context(ForkContext):
    Process = _Worker


def _forks(loader: DataLoader) -> bool:
    context = loader.multiprocessing_context or multiprocessing
    return context.get_start_method() == 'fork'


def _initialize(then: Callable[[int], Any] | None, worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Threads that start later inherit the block; so the signal waits for the thread below.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    Thread(target=_obey_parent, args=(os.getppid(),), daemon=True).start()
    if then is not None:
        then(worker)


def _obey_parent(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)  # as torch's own handler does
