"""What a measuring search knows of the operators, read from ``policy.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: The keys of an operator; an entry of the history has a list of each, under its plural.
_KEYS = ('effect', 'effect_error', 'slope', 'slope_error')
#: The number of standard errors by which an effect must stand out to count as known.
_STANDS_OUT = 2.0


@dataclass(frozen=True)
class Evidence:
    """Effects of N operators on the objective after each of S stages, with standard errors.

    The unit is the spread of single images' objectives. A negative effect makes images worth
    teaching: the teacher knows them, the student does not.

    Attributes:
        iterations: The student iterations at which the stages ran, (S,).
        effects: The change of the objective where an operator acts at half of its range, (S, N).
        errors: The standard errors of the effects, (S, N); infinite where nothing is known.
        slopes: The further change from magnitude 0 to 1, (S, N).
        slope_errors: The standard errors of the slopes, (S, N); infinite where nothing is known.
    """

    iterations: np.ndarray
    effects: np.ndarray
    errors: np.ndarray
    slopes: np.ndarray
    slope_errors: np.ndarray

    @classmethod
    def from_dict(cls, policy: Mapping[str, Any]) -> Evidence | None:
        """Take the evidence from the content of ``policy.json``.

        Returns:
            The evidence; None where the file has none, as that of a gradient search has not.

        Raises:
            ValueError: Effects are no numbers, or there is not one for each operator.
        """
        operators, entries = policy['operators'], policy.get('history', [])
        rows: list[tuple[float, list[list[float]]]] = []
        for i, entry in enumerate(entries):
            if 'effects' in entry:
                columns = [entry.get(f'{key}s') for key in _KEYS]
                found = _row(f'history[{i}]', columns, len(operators))
                # A stage that has not ended repeats what was known before it.
                if not rows or found != rows[-1][1]:
                    rows.append((entry['iter'], found))
        if all('effect' in operator for operator in operators):
            columns = [[operator.get(key) for operator in operators] for key in _KEYS]
            found = _row('the operators', columns, len(operators))
            if not rows or found != rows[-1][1]:
                rows.append((entries[-1]['iter'] if entries else 0, found))
        if not rows:
            return None
        table = np.array([row for _, row in rows], float).swapaxes(0, 1)
        return cls(np.array([iteration for iteration, _ in rows], float), *table)

    @property
    def known(self) -> np.ndarray:
        """Whether the last effect is at least twice its standard error, (N,) bool."""
        return np.abs(self.effects[-1]) >= _STANDS_OUT * self.errors[-1]

    @property
    def order(self) -> list[int]:
        """The indices of the operators, the most worth teaching first, the unmeasured last."""
        measured = np.isfinite(self.errors[-1])
        return sorted(range(len(measured)), key=lambda i: (not measured[i], self.effects[-1, i], i))


def _row(where: str, columns: Sequence[Any], count: int) -> list[list[float]]:
    """The effects, errors, slopes and slope errors of one stage; None is an infinite error."""
    found = []
    for key, values in zip(_KEYS, columns, strict=True):
        if not isinstance(values, Sequence) or len(values) != count:
            raise ValueError(f'{key}s of {where} are {values!r}; allowed: {count} numbers')
        nothing = np.inf if key.endswith('error') else 0.0
        try:
            found.append([nothing if value is None else float(value) for value in values])
        except (TypeError, ValueError):
            raise ValueError(f'{key}s of {where} are {values!r}; allowed: numbers') from None
    return found
