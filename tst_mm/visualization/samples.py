"""Samples of a data set with their labels, to be looked at before a training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from tst_mm.datasets.layouts import LabelledImage

from .annotations import Annotations
from .figure import INK, WIDTH, styled

_CAPTION = 26  # characters under a picture, of which the last ones are shown


@styled()
def plot_samples(
    samples: Sequence[LabelledImage], classes: Sequence[str], columns: int = 5
) -> Figure:
    """Draw images with their boxes or label maps, and a caption under each.

    Args:
        samples: The images.
        classes: The names of the classes.
        columns: How many images stand in a row, at most. Defaults to 5.

    Returns:
        The figure; see :func:`save_figure`.

    Raises:
        OSError: An image cannot be read.
        ValueError: There are no images.
    """
    if not samples:
        raise ValueError('there are no images to draw; allowed: at least 1')
    columns = min(columns, len(samples))
    rows = math.ceil(len(samples) / columns)
    figure = Figure(figsize=(WIDTH, WIDTH / columns * rows + 0.3), layout='constrained')
    panels = figure.subplots(rows, columns, squeeze=False)
    legend: dict[int, tuple[str, tuple[float, float, float]]] = {}
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, sample in zip(panels.flat, samples, strict=False):
        with Image.open(sample.path) as image:
            pixels = np.asarray(image.convert('RGB'))
        labels = Annotations(sample.boxes, None, sample.labels, sample.label_map, classes=classes)
        height, width = pixels.shape[:2]
        axes.imshow(pixels, interpolation='nearest', extent=(0, width, height, 0))
        labels.draw(axes)
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.set_title(sample.name[-_CAPTION:], fontsize=7.5, color=INK, y=-0.16)
        legend |= labels.legend
    if legend:
        handles = [Patch(color=color, label=name) for _, (name, color) in sorted(legend.items())]
        figure.legend(handles=handles, loc='outside lower center', ncols=6, fontsize=7.5)
    return figure
