"""How many images were augmented over training, and how the student did on unseen ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figure import BLUE, GREY, INK, VERMILION, WIDTH, rounded, styled

_KEYS = ('iter', 'fraction', 'seen', 'unseen')
#: A change of the fraction that is smaller than this is not worth a word.
_TURN = 0.1
#: The fractions from which on, and up to which, all and no images count as augmented.
_ALL, _NONE = 0.95, 0.05
#: The ratio of the losses on unseen and seen images from which on images count as memorised.
_MEMORISED = 1.05
#: The ratio of the largest to the smallest loss from which on the axis is logarithmic.
_WIDE = 8.0


@dataclass(frozen=True)
class Amount:
    """The fraction of augmented images over T looks.

    Attributes:
        iterations: The student iterations of the looks, (T,).
        fraction: The fraction of the images that are augmented, (T,) in [0, 1].
        seen: The running mean of the distillation loss on images that the student trains on, (T,).
        unseen: The same on images that the student has never trained on, (T,).
    """

    iterations: np.ndarray
    fraction: np.ndarray
    seen: np.ndarray
    unseen: np.ndarray

    @classmethod
    def from_dict(cls, policy: Mapping[str, Any]) -> Amount | None:
        """Take the amount from the content of ``policy.json``.

        Returns:
            The amount; None where the file has none, as that of a run with a fixed fraction has
            not.

        Raises:
            ValueError: The entries hold something else.
        """
        entries = policy.get('amount') or []
        try:
            table = [[float(entry[key]) for key in _KEYS] for entry in entries]
        except (TypeError, KeyError, ValueError):
            raise ValueError(
                f'amount of the policy is {str(entries)[:80]}; allowed: a list of objects with '
                f'numbers {", ".join(_KEYS)}'
            ) from None
        return cls(*np.array(table).T) if table else None

    def release(self, now: float) -> float | None:
        """Find the iteration from which on the held-out slice was trained on.

        Args:
            now: The number of student iterations that are known to be done.

        Returns:
            The iteration, as exactly as the interval of the looks tells; None where looks went on.
        """
        if len(self.iterations) < 2:
            return None
        interval = float(np.diff(self.iterations).min())
        expected = float(self.iterations[-1]) + interval
        return expected if now > expected else None

    def describe(self) -> str:
        """Say how the fraction went, and what that tells of the student."""
        turns = _turning_points(self.fraction)
        first, *rest = (rounded(turn) for turn in turns)
        words = [f'began at {first}' if rest else f'stayed near {first}']
        for before, value, text in zip(turns, turns[1:], rest, strict=False):
            words.append(f'{"rose" if value > before else "fell"} to {text}')
        path = ', then '.join([', '.join(words[:2]), *words[2:]])
        last, ratio = self.fraction[-1], self.unseen[-1] / max(self.seen[-1], 1e-12)
        verdict = ''
        if last >= _ALL and ratio > _MEMORISED:
            verdict = 'the student memorises its training images; '
        elif last <= _NONE:
            verdict = 'the student does about as well on unseen images without it; '
        return (
            f'The fraction of augmented images {path}: {verdict}at the last look its distillation '
            f'loss was {rounded(ratio)} times as large on unseen images as on those that it trains '
            'on.'
        )


@styled()
def plot_amount(amount: Amount, end: float | None = None) -> Figure:
    """Draw the fraction of augmented images, and under it the losses that move it.

    The fraction rises while the student imitates the teacher better on images that it trains on
    than on unseen ones. Where the slice of unseen images is released, a line is drawn, and the
    fraction stays.

    Args:
        amount: The amount of augmentation over the looks.
        end: The number of student iterations done. Defaults to None, which ends at the last look.

    Returns:
        The figure; see :func:`save_figure`.
    """
    figure = Figure(figsize=(WIDTH, 3.6), layout='constrained')
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.15))
    time, marker = amount.iterations, {'marker': 'o', 'markersize': 3} if _few(amount) else {}
    end = max(end or 0, time[-1])
    _draw_fraction(above, amount, end, marker)
    below.fill_between(time, amount.seen, amount.unseen, color=VERMILION, alpha=0.13, linewidth=0)
    dashes = (0, (3, 1.2))
    below.plot(time, amount.unseen, color=VERMILION, linestyle=dashes, label='unseen', **marker)
    below.plot(time, amount.seen, color=BLUE, label='trained on', **marker)
    both = np.concatenate((amount.seen, amount.unseen))
    if both.min() > 0 and both.max() > _WIDE * both.min():
        below.set_yscale('log')
        below.yaxis.set_major_formatter('{x:g}')
        below.yaxis.set_minor_formatter('')
    below.set(ylabel='distillation loss', xlabel='iterations of the student', xlim=(0, end))
    below.legend(loc='upper right', title='on images', alignment='left')
    release = amount.release(end)
    if release is not None:
        for axes in (above, below):
            axes.axvline(release, color=GREY, linewidth=1, linestyle=(0, (1, 1.5)))
        above.annotate(
            'unseen images released',
            xy=(release, 0),
            xytext=(4, 4),
            xycoords=('data', 'axes fraction'),
            textcoords='offset points',
            color=GREY,
            fontsize=8,
        )
    return figure


def _draw_fraction(axes: Axes, amount: Amount, end: float, marker: dict[str, Any]) -> None:
    time, fraction = amount.iterations, amount.fraction
    axes.fill_between(time, 0, fraction, color=BLUE, alpha=0.13, linewidth=0)
    axes.plot(time, fraction, color=BLUE, **marker)
    if end > time[-1]:  # the fraction stays where it is
        axes.fill_between([time[-1], end], 0, fraction[-1], color=BLUE, alpha=0.06, linewidth=0)
        axes.plot([time[-1], end], [fraction[-1]] * 2, color=BLUE, linestyle=(0, (1, 1)))
    axes.set(ylim=(0, 1.06), yticks=(0, 0.5, 1), ylabel='augmented images')
    axes.set_yticklabels(['none', 'half', 'all'], color=INK)


def _few(amount: Amount) -> bool:
    """Whether curves need dots to be seen."""
    return len(amount.iterations) < 8


def _turning_points(values: Sequence[float] | np.ndarray) -> list[float]:
    """The first value, those at which the direction changes, and the last; no small turns."""
    points = [float(values[0])]
    extreme = points[0]
    for value in map(float, values):
        rising = extreme >= points[-1]
        if value >= extreme if rising else value <= extreme:
            extreme = value
        elif abs(value - extreme) >= _TURN:
            if abs(extreme - points[-1]) >= _TURN:
                points.append(extreme)
            extreme = value
    if abs(extreme - points[-1]) >= _TURN:
        points.append(extreme)
    return points
