"""Processes of one distributed run, forked from a server that has imported all libraries."""

from __future__ import annotations

import os
import random
import socket
import tempfile
import time
import traceback
from collections.abc import Callable
from multiprocessing import connection, get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from mmengine.dist import init_dist
from mmengine.logging import MMLogger

_HEAVY = ['tst_mm', 'mmpretrain.models', 'mmdet.models', 'mmseg.models', 'mmrazor.models']
_context = get_context('forkserver')
_context.set_forkserver_preload(_HEAVY)


def run(task: Callable[..., Any], *args: Any, ranks: int = 2, timeout: float = 200) -> list[Any]:
    """Call ``task(*args)`` in every process of a run, over gloo; one process has no group.

    Args:
        task: A function of a module.
        args: Its arguments.
        ranks: Number of processes.
        timeout: Seconds until all are killed.

    Returns:
        What the ranks returned, in order.

    Raises:
        AssertionError: With the traceback of the rank that failed first.
    """
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        workers = [
            _context.Process(target=_work, args=(rank, ranks, port, folder, task, args))
            for rank in range(ranks)
        ]
        with patch.dict(os.environ, CUDA_VISIBLE_DEVICES=''):  # the server inherits it
            for worker in workers:
                worker.start()
        _wait(workers, folder, timeout)
        return [torch.load(Path(folder, f'{rank}.pt'), weights_only=False) for rank in range(ranks)]


def _wait(workers: list, folder: str, timeout: float) -> None:
    """Until all have ended well; a failure ends the others, which may wait for it."""
    end, alive = time.monotonic() + timeout, list(workers)
    try:
        while alive:
            done = connection.wait([w.sentinel for w in alive], max(0, end - time.monotonic()))
            assert done, f'{len(alive)} of {len(workers)} ranks still run after {timeout} s'
            alive = [worker for worker in alive if worker.sentinel not in done]
            if any(worker.exitcode for worker in workers if worker.sentinel in done):
                errors = sorted(Path(folder).glob('*.txt'), key=lambda path: path.stat().st_mtime)
                codes = f'exit codes {[worker.exitcode for worker in workers]}'
                raise AssertionError('\n'.join([codes, *(path.read_text() for path in errors)]))
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


def _work(rank: int, ranks: int, port: int, folder: str, task: Callable, args: tuple) -> None:
    """The life of one process."""
    try:
        os.environ['CUDA_VISIBLE_DEVICES'] = ''  # the server may be older
        torch.set_num_threads(1)
        MMLogger.get_current_instance().setLevel('ERROR')
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        if ranks > 1:
            os.environ.update(
                RANK=str(rank),
                LOCAL_RANK=str(rank),
                WORLD_SIZE=str(ranks),
                MASTER_ADDR='127.0.0.1',
                MASTER_PORT=str(port),
            )
            init_dist('pytorch', backend='nccl')  # what a config for GPUs says
            # One that is through before another is connected would break the connection.
            torch.distributed.barrier()
        torch.save(task(*args), Path(folder, f'{rank}.pt'))
    except BaseException:
        Path(folder, f'{rank}.txt').write_text(f'rank {rank}: {traceback.format_exc()}')
        raise SystemExit(1) from None
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def free_port() -> int:
    """A port of this machine that nothing listens to."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]
