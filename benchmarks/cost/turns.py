"""Trainings in turns: an iteration of one, an iteration of the next, in a process each.

A machine is faster in one minute than in another, by more than what is to be told apart. Trainings
that take turns see the same minutes.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

#: The environment variable that names the ends of the pipes on which a training waits and answers.
_PIPES = 'TST_MM_COST_TURNS'


def pass_turn() -> None:
    """In a training: let the others do an iteration each, and wait for that; alone, do nothing."""
    if ends := os.environ.get(_PIPES):
        waits, answers = (int(end) for end in ends.split(','))
        os.write(answers, b'.')
        os.read(waits, 1)


class Training:
    """A training in a process of its own, which runs while it has its turn.

    Args:
        command: The command line. Its iterations end with :func:`pass_turn`.
        folder: Where it runs; what it prints goes to ``log.txt`` there.
        environment: Its environment variables.

    Attributes:
        seconds (float): The time for which it ran, its start and its end included.
    """

    def __init__(
        self, command: Sequence[Any], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.seconds = 0.0
        self._command, self._folder, self._environment = command, folder, environment
        self._process: subprocess.Popen | None = None
        self._go = self._done = -1

    def turn(self) -> bool:
        """Run to the end of an iteration, or to its own end.

        Returns:
            Whether it goes on.

        Raises:
            subprocess.CalledProcessError: It failed.
        """
        begin = time.perf_counter()
        if self._process is None:
            self._start()
        else:
            with suppress(BrokenPipeError):  # it was killed while it waited
                os.write(self._go, b'.')
        goes_on = self._passed()
        if not goes_on and self._process.wait():
            raise subprocess.CalledProcessError(
                self._process.returncode,
                self._command,
                stderr=(self._folder / 'log.txt').read_text(errors='replace'),
            )
        self.seconds += time.perf_counter() - begin
        return goes_on

    def end(self) -> None:
        """End it where it is, if it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            os.close(self._go)
            os.close(self._done)

    def _passed(self) -> bool:
        """Wait for the end of its turn; False where it was the end of the process."""
        assert self._process is not None
        # Workers of its loader hold the pipe open for seconds after it has ended.
        while not select.select([self._done], [], [], 0.05)[0]:
            if self._process.poll() is not None:
                return False
        return bool(os.read(self._done, 1))

    def _start(self) -> None:
        waits, self._go = os.pipe()
        self._done, answers = os.pipe()
        with (self._folder / 'log.txt').open('w') as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env={**self._environment, _PIPES: f'{waits},{answers}'},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(waits, answers),
            )
        os.close(waits)
        os.close(answers)


def take_turns(trainings: Sequence[Training]) -> None:
    """Run trainings to their ends, an iteration of each at a time.

    Raises:
        subprocess.CalledProcessError: One failed; the others are ended.
    """
    try:
        running = list(trainings)
        while running:
            running = [training for training in running if training.turn()]
    finally:
        for training in trainings:
            training.end()
