"""The queue of small trainings: how long it will take, and the training of what is missing."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import median
from typing import Any

import torch
from rich.progress import track

from tst_mm.utils.git import git_state

from .matrix import METHODS, TASKS

ROOT = Path(__file__).resolve().parents[2]
#: A seed, a task and a method.
Cell = tuple[int, str, str]


def expected_time(
    missing: Sequence[Cell], runs: Sequence[Mapping[str, Any]], device: str, jobs: int
) -> str:
    """How long runs will take, by those of their tasks that are on file.

    Args:
        missing: The runs that are not on file.
        runs: The lines of the file.
        device: ``'cpu'`` or ``'cuda'``; only runs on such a device count.
        jobs: How many train at once.

    Returns:
        For example ``', about 12 minutes'``; nothing where no such run is on file.
    """
    seconds: dict[str, list[float]] = {}
    for line in runs:
        if line.get('device', 'cpu').startswith(device):
            seconds.setdefault(line['task'], []).append(line['seconds'])
    known = [median(seconds[task]) for _, task, _ in missing if task in seconds]
    if not known:
        return ''
    total = sum(known) / len(known) * len(missing) / jobs
    return f', about {max(1, round(total / 60))} minutes'


def train(
    missing: Sequence[Cell], out: Path, data: Path, work_dir: Path, device: str, jobs: int
) -> None:
    """Train what is missing; each run is on file as soon as it is over.

    Args:
        missing: The runs, in the order in which they start.
        out: The file that gets a line for each.
        data: The folder with the folders of the tasks' data.
        work_dir: The folder in which teachers and unpacked images are kept.
        device: ``'cpu'`` or ``'cuda'``.
        jobs: How many train at once, each in a process of its own.
    """
    commit = git_state(ROOT)
    where = (data, work_dir, device)
    for task in dict.fromkeys(task for _, task, _ in missing) if jobs > 1 else ():
        _training(0, task, 'kd', *where)  # the teacher, which only one may make
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(jobs, context, _end_with_parent) as pool:
        if jobs > 1:
            futures = [pool.submit(_line, *cell, *where) for cell in missing]
            lines = (future.result() for future in as_completed(futures))
        else:
            lines = (_line(*cell, *where) for cell in missing)
        for line in track(lines, 'training', len(missing), disable=not sys.stderr.isatty()):
            with out.open('a') as file:
                file.write(json.dumps({**line, 'commit': commit}) + '\n')
            print('{task}, {method}, seed {seed}: {test} % in {seconds} s'.format(**line))


def _end_with_parent() -> None:
    """Let this process end when the one that started it is killed: nobody would take its line."""

    def wait() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _training(seed: int, task: str, method: str, data: Path, work_dir: Path, device: str) -> Any:
    from .published import PublishedTraining  # it takes seconds to import
    from .training import Training

    kind = PublishedTraining if METHODS[method].augment == 'paper' else Training
    return kind(TASKS[task], METHODS[method], seed, data / TASKS[task].data, work_dir, device)


def _line(
    seed: int, task: str, method: str, data: Path, work_dir: Path, device: str
) -> dict[str, Any]:
    """Train one student: its line of the file, less the commit."""
    found = _training(seed, task, method, data, work_dir, device).run()
    name = 'cpu' if device == 'cpu' else f'{device}, {torch.cuda.get_device_name(device)}'
    return {'task': task, 'method': method, 'seed': seed, **found, 'device': name}
