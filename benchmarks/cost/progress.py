"""One line that says where a run stands and how long it takes."""

from __future__ import annotations

import sys
import time


class Progress:
    """Counts rounds; on a terminal one line that is rewritten, else a line a case.

    Args:
        rounds: How many there will be, over all cases.
    """

    def __init__(self, rounds: int) -> None:
        self.rounds, self.done = rounds, 0
        self.start = time.monotonic()
        self.case = ''

    def begin(self, case: str) -> None:
        """A new case starts."""
        self.case = case
        self._show(line=True)

    def tick(self) -> None:
        """A round is done."""
        self.done += 1
        self._show(line=False)

    def end(self) -> None:
        """Everything is done."""
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def _show(self, line: bool) -> None:
        spent = time.monotonic() - self.start
        left = spent / self.done * max(self.rounds - self.done, 0) if self.done else None
        eta = '' if left is None else f', {_clock(left)} left'
        text = f'[{self.done}/{self.rounds} rounds, {_clock(spent)}{eta}] {self.case}'
        if sys.stderr.isatty():
            print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)
        elif line:
            print(text, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    return f'{int(seconds) // 60}:{int(seconds) % 60:02d}'
