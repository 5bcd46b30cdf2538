"""Means and paired differences over seeds, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

_RESAMPLES = 10_000


@dataclass(frozen=True)
class Difference:
    """Of two methods over the seeds that both have.

    Attributes:
        mean: Of the differences.
        sd: Of the differences.
        pairs: How many there are.
        bootstrap: 95 % interval of the mean, percentiles over resampled pairs.
        student: 95 % interval of the mean by Student's t, wider where pairs are few.
    """

    mean: float
    sd: float
    pairs: int
    bootstrap: tuple[float, float]
    student: tuple[float, float]

    @property
    def above_zero(self) -> bool:
        """Whether both intervals lie above zero."""
        return self.bootstrap[0] > 0 and self.student[0] > 0

    @property
    def below_zero(self) -> bool:
        """Whether both intervals lie below zero."""
        return self.bootstrap[1] < 0 and self.student[1] < 0


def difference(values: Mapping[int, float], others: Mapping[int, float]) -> Difference | None:
    """Paired by key, which is the seed.

    Returns:
        None with fewer than two pairs.
    """
    seeds = sorted(values.keys() & others.keys())
    if len(seeds) < 2:
        return None
    gaps = np.array([values[seed] - others[seed] for seed in seeds])
    mean, sd, n = gaps.mean(), gaps.std(ddof=1), len(gaps)
    picks = np.random.default_rng(0).integers(0, n, (_RESAMPLES, n))
    low, high = np.percentile(gaps[picks].mean(axis=1), [2.5, 97.5])
    margin = stats.t.ppf(0.975, n - 1) * sd / n**0.5
    return Difference(
        float(mean), float(sd), n, (float(low), float(high)), (mean - margin, mean + margin)
    )


def mean_sd(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and standard deviation of more than one value."""
    array = np.asarray(values, dtype=float)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None
