"""Trains runs as sub-processes, several at a time, each after the one it needs."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .progress import Display, last_position
from .run import Run


class RunError(Exception):
    """A training failed.

    Args:
        run: The run that failed.
        code: The exit status of its process.
    """

    def __init__(self, run: Run, code: int) -> None:
        lines = run.log.read_text(errors='replace').splitlines()[-15:]
        text = '\n'.join(lines)
        super().__init__(f'{run.name} failed (exit status {code}). The end of {run.log}:\n{text}')


def train_all(
    runs: Sequence[Run],
    jobs: int,
    poll: float = 0.5,
    on_finish: Callable[[Run], None] = lambda run: None,
    cwd: Path | None = None,
) -> None:
    """Train what is not finished yet.

    Args:
        runs: The runs in the order in which to start them. A run's teacher is one of them.
        jobs: How many trainings run at a time.
        poll: Seconds between two looks at the trainings. Defaults to 0.5.
        on_finish: Called with every run as it finishes. By default nothing is called.
        cwd: The folder that trainings are started in, which relative paths in configs refer to.
            Defaults to the current one.

    Raises:
        RunError: A training failed; the others are stopped and can be continued.
    """
    waiting = [run for run in runs if not run.finished]
    if len(waiting) < len(runs):
        done = ', '.join(run.name for run in runs if run not in waiting)
        print(f'finished before: {done}', flush=True)
    running: dict[Run, subprocess.Popen] = {}
    try:
        with Display() as display:
            while waiting or running:
                for run in [run for run in waiting if run.teacher is None or run.teacher.finished]:
                    if len(running) < jobs:
                        waiting.remove(run)
                        running[run] = _start(run, jobs, cwd)
                time.sleep(poll)
                for run, process in list(running.items()):
                    if process.poll() is None:
                        continue
                    del running[run]
                    if process.returncode:
                        raise RunError(run, process.returncode)
                    run.finish()
                    on_finish(run)
                    display.say(f'{run.name} finished')
                positions = {run.name: last_position(run.log) for run in running}
                display.show(positions, len(waiting))
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()


def _start(run: Run, jobs: int, cwd: Path | None) -> subprocess.Popen:
    """Start a training; it gets its share of the cores and no more."""
    command = run.prepare()
    threads = str(max(1, len(os.sched_getaffinity(0)) // jobs))
    environment = {'OMP_NUM_THREADS': threads, 'PYTHONUNBUFFERED': '1', **os.environ}
    with run.log.open('ab') as log:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
