"""Where trainings are, read from what they print, and shown while they run."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_ETA = r'.*?eta: (\S+)'
_ITERATION = re.compile(r'Iter\(train\)\s+\[\s*(\d+)/(\d+)\]' + _ETA)
_EPOCH = re.compile(r'Epoch\(train\)\s+\[(\d+)\]\[\s*(\d+)/(\d+)\]' + _ETA)
_STAGE = re.compile(r'(Augmenter stage \d+/\d+) \[\s*(\d+)/(\d+)\]' + _ETA)
_TAIL = 4096  # bytes that surely hold the last line of progress


def last_position(log: Path) -> str:
    """Position and remaining time of a training in words, from the end of its output."""
    try:
        with log.open('rb') as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            lines = file.read().decode(errors='replace').splitlines()
    except FileNotFoundError:
        return 'starting'
    for line in reversed(lines):
        if match := _STAGE.search(line):
            stage, step, steps, eta = match.groups()
            return f'{stage.lower()} {step}/{steps}, then on with the student'
        if match := _ITERATION.search(line):
            return '{}/{} steps, {} left'.format(*match.groups())
        if match := _EPOCH.search(line):
            epoch, step, steps, eta = match.groups()
            return f'epoch {epoch}, {step}/{steps} steps, {eta} left'
    return 'starting'


class Display:
    """Shows where all trainings are, between entering and leaving it as a context.

    On a terminal every training has a live line; elsewhere one line for all is printed now and
    then.

    Args:
        interval: Seconds between the lines where there is no terminal. Defaults to 20.
    """

    def __init__(self, interval: float = 20.0) -> None:
        self.interval = interval
        self.begin = time.monotonic()
        self._printed = -interval
        self._console = Console(highlight=False, markup=False, soft_wrap=True)
        self._live = Progress(
            SpinnerColumn(),
            TextColumn('{task.description}', markup=False),
            TextColumn('{task.fields[position]}', markup=False),
            TimeElapsedColumn(),
            console=self._console,
            auto_refresh=False,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._lines: dict[str, TaskID] = {}

    def __enter__(self) -> Display:
        self._live.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._live.stop()

    def show(self, positions: Mapping[str, str], waiting: int = 0) -> None:
        """Show where everything is.

        Args:
            positions: The position of each running training in words, by the training's name.
            waiting: How many trainings are still to be started. Defaults to 0.
        """
        to_come = {f'{waiting} to come': ''} if waiting else {}
        if self._live.disable:
            if positions and time.monotonic() - self._printed >= self.interval:
                self._printed = time.monotonic()
                parts = [f'{name}: {position}' for name, position in positions.items()]
                self._print(' | '.join([*parts, *to_come]))
            return
        shown = {**positions, **to_come}
        for name in [name for name in self._lines if name not in shown]:
            self._live.remove_task(self._lines.pop(name))
        for name, position in shown.items():
            if name not in self._lines:
                self._lines[name] = self._live.add_task(name, total=None, position='')
            self._live.update(self._lines[name], position=position)
        self._live.refresh()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._print(text)

    def _print(self, text: str) -> None:
        elapsed = timedelta(seconds=int(time.monotonic() - self.begin))
        self._console.print(f'[{elapsed}] {text}')
