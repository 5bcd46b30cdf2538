"""Where the benchmark stands and how long it takes."""

from __future__ import annotations

from rich import progress
from rich.console import Console


class Progress:
    """Counts rounds: on a terminal a bar, elsewhere a line for each case.

    Args:
        cases: How many cases there will be.
    """

    def __init__(self, cases: int) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False)
        self._bar = progress.Progress(
            progress.TextColumn('{task.description}', markup=False),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            console=self._console,
            auto_refresh=False,  # no thread beside what is measured
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task('', total=cases)
        self._cases, self._begun = cases, 0
        self._case, self._rounds = '', 0
        self._bar.start()

    def begin(self, case: str) -> None:
        """A new case starts."""
        self._case, self._rounds = case, 0
        self._begun += 1
        if self._bar.disable:
            self._console.print(f'case {self._begun} of {self._cases}: {case}')
        self._bar.update(self._task, completed=self._begun - 1, description=case, refresh=True)

    def tick(self) -> None:
        """A round is done."""
        self._rounds += 1
        description = f'{self._case}: round {self._rounds}'
        self._bar.update(self._task, description=description, refresh=True)

    def end(self) -> None:
        """Everything is done."""
        self._bar.update(self._task, completed=self._begun)
        self._bar.stop()
