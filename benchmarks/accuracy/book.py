"""Results by task, method and seed."""

from __future__ import annotations

from collections.abc import Sequence

from .matrix import TASKS
from .results import Row
from .statistics import Difference, difference


class Book:
    """Rows by task and method; the last one of a seed counts.

    Args:
        rows: The rows of one split.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows: dict[tuple[str, str], dict[int, Row]] = {}
        for row in rows:
            self.rows.setdefault((row.task, row.method), {})[row.seed] = row

    def seeds(self, task: str, method: str) -> dict[int, Row]:
        """Rows by seed."""
        return self.rows.get((task, method), {})

    def values(self, task: str, method: str) -> dict[int, float]:
        """Metrics by seed, in percent."""
        return {seed: row.metric for seed, row in self.seeds(task, method).items()}

    def gap(self, task: str, method: str, other: str) -> Difference | None:
        """Paired difference of two methods."""
        return difference(self.values(task, method), self.values(task, other))

    def tasks(self) -> list[str]:
        """Tasks with students that TST taught, in the order of the matrix."""
        return [task for task in TASKS if self.seeds(task, 'tst')]

    def methods(self, task: str, among: Sequence[str]) -> list[str]:
        """Methods of a task, in the order given."""
        return [method for method in among if self.seeds(task, method)]
