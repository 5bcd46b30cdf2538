"""Where a training is, read from what it prints; several at once on one line."""

from __future__ import annotations

import re
import shutil
import sys
import time
from datetime import timedelta
from pathlib import Path

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


class StatusLine:
    """One line that is rewritten on a terminal, and printed now and then elsewhere.

    Args:
        interval: Seconds between lines where they cannot be rewritten.
    """

    def __init__(self, interval: float = 20.0) -> None:
        self.interval = interval
        self.begin = time.monotonic()
        self._rewrite = sys.stdout.isatty()
        self._printed = -interval

    @property
    def elapsed(self) -> timedelta:
        """Since the demo began, in whole seconds."""
        return timedelta(seconds=int(time.monotonic() - self.begin))

    def show(self, text: str) -> None:
        """Show where everything is."""
        line = f'[{self.elapsed}] {text}'
        if self._rewrite:
            width = shutil.get_terminal_size().columns
            print(f'\r{line[: width - 1]:<{width - 1}}', end='', flush=True)
        elif time.monotonic() - self._printed >= self.interval:
            self._printed = time.monotonic()
            print(line, flush=True)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        if self._rewrite:
            print(f'\r{" " * (shutil.get_terminal_size().columns - 1)}\r', end='')
        print(f'[{self.elapsed}] {text}', flush=True)
