"""Means and paired differences over seeds, with their intervals."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

_RESAMPLES = 10_000


@dataclass(frozen=True)
class Difference:
    """The difference of two methods over the seeds that both have.

    Attributes:
        mean: The mean of the differences.
        sd: The standard deviation of the differences.
        pairs: The number of differences.
        bootstrap: The 95 % interval of the mean, from percentiles over resampled pairs.
        student: The 95 % interval of the mean by Student's t, wider where pairs are few.
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
    """Compare two methods seed by seed.

    Args:
        values: The metrics of one method, by seed.
        others: The metrics of the other method, by seed; seeds that only one has do not count.

    Returns:
        The difference; None with fewer than two pairs.
    """
    seeds = sorted(values.keys() & others.keys())
    if len(seeds) < 2:
        return None
    gaps = np.array([values[seed] - others[seed] for seed in seeds])
    with warnings.catch_warnings():
        # Where all differences are the same: both intervals are that one value.
        warnings.filterwarnings('ignore', 'Precision loss occurred', RuntimeWarning)
        student = stats.ttest_1samp(gaps, 0.0).confidence_interval()
    resampled = stats.bootstrap(
        (gaps,), np.mean, n_resamples=_RESAMPLES, method='percentile', rng=np.random.default_rng(0)
    ).confidence_interval
    return Difference(
        mean=float(gaps.mean()),
        sd=float(gaps.std(ddof=1)),
        pairs=len(gaps),
        bootstrap=(float(resampled.low), float(resampled.high)),
        student=(float(student.low), float(student.high)),
    )


def levels(methods: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    """How methods compare where not all of them have all seeds, by least squares.

    A metric is taken as the sum of a method's level and of what its seed brings, as in an
    incomplete block design; where all methods have all seeds, differences of levels are those of
    the means.

    Args:
        methods: The metrics by method and seed.

    Returns:
        The level of each method that has two seeds, each shared with another method, so that only
        differences count.
    """
    found = {
        name: {
            seed: value
            for seed, value in values.items()
            if sum(seed in others for others in methods.values()) > 1
        }
        for name, values in methods.items()
    }
    names = [name for name, values in found.items() if len(values) > 1]
    seeds = sorted({seed for name in names for seed in found[name]})
    points = [(name, seed) for name in names for seed in found[name]]
    design = np.zeros((len(points), len(names) + len(seeds)))
    for row, (name, seed) in enumerate(points):
        design[row, [names.index(name), len(names) + seeds.index(seed)]] = 1
    solution = np.linalg.lstsq(design, [found[name][seed] for name, seed in points], rcond=None)[0]
    return dict(zip(names, solution.tolist(), strict=False))


def mean_sd(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and standard deviation of more than one value."""
    array = np.asarray(values, dtype=float)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None
