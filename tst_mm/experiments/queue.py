"""Trains runs as sub-processes, several at a time, each after the one it needs."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .progress import Display, Position, last_position, time_left
from .run import Run

#: Networks as small as those of the demos are not worth more threads.
_MOST_THREADS = 4


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
    clock = _Clock(jobs)
    running: dict[Run, subprocess.Popen] = {}
    try:
        with Display() as display:
            while waiting or running:
                ready = [run for run in waiting if run.teacher is None or run.teacher.finished]
                side_by_side = min(jobs, len(running) + len(ready))
                for run in ready[: jobs - len(running)]:
                    waiting.remove(run)
                    running[run] = _start(run, side_by_side, cwd)
                    clock.begin[run] = time.monotonic()
                time.sleep(poll)
                for run, process in list(running.items()):
                    if process.poll() is None:
                        continue
                    del running[run]
                    if process.returncode:
                        raise RunError(run, process.returncode)
                    run.finish()
                    on_finish(run)
                    clock.end(run)
                    display.say(f'{run.name} finished')
                positions = {run: last_position(run.log) for run in running}
                shown = {run.name: position for run, position in positions.items()}
                display.show(shown, len(waiting), clock.left(positions, waiting))
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()


def _start(run: Run, side_by_side: int, cwd: Path | None) -> subprocess.Popen:
    """Start a training with its share of the processors, unless the environment says another.

    What others wait for, a teacher, thus has the share of all of them.
    """
    command = run.prepare()
    threads = len(os.sched_getaffinity(0)) // side_by_side
    environment = {
        'OMP_NUM_THREADS': str(min(max(1, threads), _MOST_THREADS)),
        'PYTHONUNBUFFERED': '1',
        **os.environ,
    }
    with run.log.open('ab') as log:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


@dataclass
class _Clock:
    """When trainings began, how long they took, and what that says of those to come."""

    jobs: int
    begin: dict[Run, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    def end(self, run: Run) -> None:
        """Take the time of a run that has ended."""
        self.took.append(time.monotonic() - self.begin.pop(run))

    def left(self, positions: dict[Run, Position], waiting: Sequence[Run]) -> float | None:
        """Seconds until all is done; None where that is not known yet."""
        now = time.monotonic()
        running = [(now - self.begin[run], position.left) for run, position in positions.items()]
        teachers = {run.teacher for run in waiting}
        before = [position.left or 0.0 for run, position in positions.items() if run in teachers]
        return time_left(running, self.took, len(waiting), self.jobs, max(before, default=0.0))
