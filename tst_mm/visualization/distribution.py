"""How sure teacher and student are of the truth, on images as they are and augmented."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tst_mm.utils.files import write_json

from .figure import BLUE, VERMILION, WIDTH, rounded, styled

#: The kinds of images, and then the networks, in the order in which they are drawn.
IMAGES = {'original': 'original images', 'augmented': 'augmented images'}
NETWORKS = ('teacher', 'student')
#: The part of a panel's height that the histograms take; above them stands the legend.
_HEIGHT = 0.72


@dataclass(frozen=True)
class Distribution:
    """Histograms of the probability that a network gives to what is true.

    Each image (classification), positive anchor or region (detection) or pixel (segmentation)
    counts once.

    Attributes:
        iteration: The number of student iterations done when it was measured.
        images: The number of images that were measured.
        counts: The counts in equal parts of [0, 1], by kind of image (``'original'``,
            ``'augmented'``) and network (``'teacher'``, ``'student'``).
        means: The mean probability, by the same keys.
    """

    iteration: int
    images: int
    counts: Mapping[str, Mapping[str, list[float]]]
    means: Mapping[str, Mapping[str, float]]

    @classmethod
    def load(cls, path: str | Path) -> Distribution:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: The file is cut short or holds something else.
        """
        try:
            found = json.loads(Path(path).read_text(encoding='utf-8'))
            return cls(
                int(found['iteration']),
                int(found['images']),
                *(_read(found[key], kind) for key, kind in (('counts', list), ('means', float))),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f'{path} is no distribution of confidence: {error!r}') from None

    def save(self, path: str | Path) -> None:
        """Write it as JSON, complete or not at all."""
        write_json(path, asdict(self))


@styled()
def plot_distribution(distribution: Distribution) -> Figure:
    """Draw the histograms of both networks, on original images and on augmented ones.

    Augmentation does its work when it moves the student to the left and leaves the teacher where
    it is.

    Args:
        distribution: The distribution to draw.

    Returns:
        The figure; see :func:`save_figure`.
    """
    figure = Figure(figsize=(WIDTH, 2.7), layout='constrained')
    panels = figure.subplots(1, len(IMAGES), sharey=True)
    for axes, (images, title) in zip(panels, IMAGES.items(), strict=True):
        counts, means = distribution.counts[images], distribution.means[images]
        for network, color, dashes in (
            ('teacher', BLUE, '-'),
            ('student', VERMILION, (0, (3, 1.2))),
        ):
            _draw(axes, counts[network], means[network], color, network, dashes)
        gap = rounded(means['teacher'] - means['student'])
        axes.set_title(f'{title}: gap {gap}', loc='left')
        axes.set(xlim=(0, 1), xlabel='confidence in the truth', xticks=np.linspace(0, 1, 6))
        axes.legend(loc='upper center')
    panels[0].set_ylabel('share, %')
    panels[0].set_ylim(0, panels[0].get_ylim()[1] / _HEIGHT)
    return figure


def _draw(axes: Axes, counts: list[float], mean: float, color: str, name: str, dashes: Any) -> None:
    shares = 100 * np.asarray(counts, float) / max(sum(counts), 1)
    edges = np.linspace(0, 1, len(shares) + 1)
    axes.stairs(shares, edges, color=color, fill=True, alpha=0.14)
    axes.stairs(
        shares,
        edges,
        color=color,
        linestyle=dashes,
        linewidth=1.6,
        label=f'{name}, mean {mean:.2f}',
    )
    axes.axvline(mean, ymax=_HEIGHT, color=color, linestyle=dashes, linewidth=1)


def _read(table: Mapping[str, Any], kind: Any) -> dict[str, dict[str, Any]]:
    return {
        images: {network: kind(table[images][network]) for network in NETWORKS} for images in IMAGES
    }
