"""One line that says where a run stands and how long it takes."""

from __future__ import annotations

import sys
import time


class Progress:
    """Counts rounds: on a terminal one line that is rewritten, else a line a case.

    Args:
        cases: How many there will be.
    """

    def __init__(self, cases: int) -> None:
        self.cases, self.begun = cases, 0
        self.start = time.monotonic()
        self.case, self.rounds = '', 0

    def begin(self, case: str) -> None:
        """A new case starts."""
        self.case, self.rounds = case, 0
        self.begun += 1
        self._show(line=True)

    def tick(self) -> None:
        """A round is done."""
        self.rounds += 1
        self._show(line=False)

    def end(self) -> None:
        """Everything is done."""
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def _show(self, line: bool) -> None:
        spent = time.monotonic() - self.start
        done = self.begun - 1
        eta = f', about {_clock(spent / done * (self.cases - done))} left' if done else ''
        text = f'[case {self.begun}/{self.cases}, {_clock(spent)}{eta}] {self.case}'
        if sys.stderr.isatty():
            print(f'\r\033[K{text}: round {self.rounds}', end='', file=sys.stderr, flush=True)
        elif line:
            print(text, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    return f'{int(seconds) // 60}:{int(seconds) % 60:02d}'
