"""Where trainings are, read from what they print, and shown while they run."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import mean
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

_ETA = r'.*?eta: (?:(\d+) days?, )?(\d+):(\d\d):(\d\d)'
_ITERATION = re.compile(r'Iter\(train\)\s+\[\s*(\d+)/(\d+)\]' + _ETA)
_EPOCH = re.compile(r'Epoch\(train\)\s+\[(\d+)\]\[\s*(\d+)/(\d+)\]' + _ETA)
_STAGE = re.compile(r'(Augmenter stage \d+/\d+) \[\s*(\d+)/(\d+)\]' + _ETA)
_TAIL = 4096  # bytes that surely hold the last line of progress


@dataclass(frozen=True)
class Position:
    """Where a training is.

    Attributes:
        text: The position in words.
        left: The seconds that it has left; None (default) where it has not said so yet.
    """

    text: str
    left: float | None = None


def last_position(log: Path) -> Position:
    """Position of a training, from the end of its output."""
    try:
        with log.open('rb') as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            lines = file.read().decode(errors='replace').splitlines()
    except FileNotFoundError:
        return Position('starting')
    stage = ''
    for line in reversed(lines):
        if match := _STAGE.search(line):
            stage = stage or '{}, {}/{}'.format(match[1].lower(), *match.groups()[1:3])
        elif match := _ITERATION.search(line):
            step, steps, *eta = match.groups()
            return Position(stage or f'{step}/{steps} steps', _seconds(eta))
        elif match := _EPOCH.search(line):
            epoch, step, steps, *eta = match.groups()
            return Position(stage or f'epoch {epoch}, {step}/{steps} steps', _seconds(eta))
    return Position(stage or 'starting')


def _seconds(eta: Sequence[str | None]) -> float:
    days, hours, minutes, seconds = (int(part or 0) for part in eta)
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def time_left(
    running: Sequence[tuple[float, float | None]],
    done: Sequence[float],
    waiting: int,
    jobs: int,
    before: float = 0.0,
) -> float | None:
    """Estimate when all trainings are done; those to come take as long as the others on average.

    Args:
        running: What each training that runs has spent and has left, in seconds.
        done: How long each training took that is done, in seconds.
        waiting: How many trainings are still to be started.
        jobs: How many trainings run at a time.
        before: The seconds after which the waiting ones can start at the earliest. Defaults to 0.

    Returns:
        Seconds; None as long as one that runs has not said what it has left.
    """
    left = [rest for _, rest in running if rest is not None]
    lengths = [*done, *(spent + rest for spent, rest in running if rest is not None)]
    if len(left) < len(running) or not lengths:
        return None
    to_come = waiting * mean(lengths)
    shared = before + to_come / jobs if before else (sum(left) + to_come) / jobs
    return max([*left, shared, before + mean(lengths) if waiting else 0.0])


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
            BarColumn(bar_width=20),
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

    def show(
        self, positions: Mapping[str, Position], waiting: int = 0, left: float | None = None
    ) -> None:
        """Show where everything is.

        Args:
            positions: The position of each running training, by the training's name.
            waiting: How many trainings are still to be started. Defaults to 0.
            left: The seconds until all are done. Defaults to None, for not known yet.
        """
        total = [f'about {duration(left)} left'] if left is not None else []
        to_come = [f'{waiting} to come'] if waiting else []
        if self._live.disable:
            if positions and time.monotonic() - self._printed >= self.interval:
                self._printed = time.monotonic()
                parts = [f'{name}: {position.text}' for name, position in positions.items()]
                self._print(' | '.join([*total, *parts, *to_come]))
            return
        shown = {**positions, 'all': Position(', '.join([*total, *to_come]), left)}
        for name in [name for name in self._lines if name not in shown]:
            self._live.remove_task(self._lines.pop(name))
        for name, position in shown.items():
            if name not in self._lines:
                self._lines[name] = self._live.add_task(name, total=None, position='')
            self._draw(self._lines[name], position, words=name != 'all')
        self._live.refresh()

    def _draw(self, line: TaskID, position: Position, words: bool) -> None:
        """Set the bar of a line by the time that is spent and left, and the words behind it."""
        spent = self._live.tasks[self._live.task_ids.index(line)].elapsed or 0.0
        text = position.text
        if position.left is None:
            self._live.update(line, position=text)
            return
        if words:
            text += f', {duration(position.left)} left'
        total = max(spent + position.left, 1e-9)
        self._live.update(line, position=text, completed=min(spent, total), total=total)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(f'[{duration(time.monotonic() - self.begin)}] {text}')


def duration(seconds: float) -> str:
    """Write seconds as hours, minutes and seconds: ``0:02:05``."""
    return str(timedelta(seconds=int(seconds)))
