"""The processes of trainings: started, made ready in advance, ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .run import Run

#: Seconds that an interpreter is given to import everything, before the next one is started.
_APART = 8.0


class Starter:
    """Starts trainings, each with its share of the processors; at the end of a context all end.

    Args:
        jobs: How many trainings run at a time.
        cwd: The folder that they are started in. Defaults to None, the current one.
        preload: The modules that :meth:`warm_up` imports; see there. Defaults to none.

    Attributes:
        running (dict[Run, subprocess.Popen]): The trainings that run.
    """

    def __init__(self, jobs: int, cwd: Path | None = None, preload: Sequence[str] = ()) -> None:
        self.jobs = jobs
        self.cwd = cwd
        self.preload = preload
        self.processors = len(os.sched_getaffinity(0))
        self.running: dict[Run, subprocess.Popen] = {}
        self._warm: list[subprocess.Popen] = []
        self._warmed = 0.0

    def __enter__(self) -> Starter:
        return self

    def __exit__(self, *error: Any) -> None:
        for process in self._warm:
            process.stdin.close()  # which ends it
        for process in self.running.values():
            process.terminate()
        for process in [*self.running.values(), *self._warm]:
            process.wait()

    def start(self, run: Run) -> None:
        """Start a training, in an interpreter that is ready where there is one."""
        command = run.prepare()
        while self._warm:
            process = self._warm.pop(0)
            if process.poll() is None:
                process.stdin.write(json.dumps([str(run.log), *command[1:]]) + '\n')
                process.stdin.close()
                self.running[run] = process
                return
        with run.log.open('ab') as log:
            self.running[run] = self._open(command, subprocess.DEVNULL, log)

    def ended(self) -> list[tuple[Run, int]]:
        """Trainings that have ended since the last call, each with its exit status."""
        codes = {run: process.poll() for run, process in self.running.items()}
        ended = [(run, code) for run, code in codes.items() if code is not None]
        for run, _ in ended:
            del self.running[run]
        return ended

    def warm_up(self, waiting: int) -> None:
        """Make an interpreter ready for a later training, if a processor has nothing to do.

        Importing takes seconds, which a training then does not wait for. Without ``preload``
        nothing is done.

        Args:
            waiting: How many trainings are still to be started.
        """
        wanted = min(waiting, self.jobs) > len(self._warm)
        idle = len(self.running) < self.processors and time.monotonic() - self._warmed > _APART
        if self.preload and wanted and idle:
            self._warmed = time.monotonic()
            command = [sys.executable, '-m', 'tst_mm.experiments.warm', *self.preload]
            pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
            # `-m` would otherwise import from the current folder before all others.
            self._warm.append(self._open(command, pipe, nothing, PYTHONSAFEPATH='1'))

    def _open(
        self, command: Sequence[str], stdin: int, output: Any, **settings: str
    ) -> subprocess.Popen:
        threads = str(max(1, self.processors // self.jobs))
        return subprocess.Popen(
            command,
            cwd=self.cwd,
            env={'OMP_NUM_THREADS': threads, 'PYTHONUNBUFFERED': '1', **settings, **os.environ},
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
