"""Results by task, method and seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from .matrix import ABLATIONS, BASELINES, METHODS, TASKS
from .results import Row
from .statistics import Difference, difference

_TITLES = {name: method.title for name, method in METHODS.items()}


class Book:
    """Rows by task and method; the last one of a seed counts.

    Args:
        rows: All rows of one split.
        titles: Of the methods, in the order of tables. Defaults to those of the matrix.
        baselines: Two methods that the others are compared with. Defaults to those of the matrix.
        ablations: Methods with a table of their own. Defaults to those of the matrix.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        titles: Mapping[str, str] = _TITLES,
        baselines: Sequence[str] = BASELINES,
        ablations: Collection[str] = ABLATIONS,
    ) -> None:
        self.titles, self.baselines, self.ablations = titles, baselines, ablations
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

    def methods(self, task: str, without: Collection[str] = ()) -> list[str]:
        """Methods of a task, in the order of the titles."""
        return [name for name in self.titles if name not in without and self.seeds(task, name)]
