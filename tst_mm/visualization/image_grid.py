"""Original images, what the augmenter makes of them, and what it did, in words."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from tst_mm.augment import Normalization

from .annotations import Annotations
from .figure import GREY, INK, WIDTH, styled

#: The inches that a line, and an average character, of 7.5 pt type need.
_LINE, _CHARACTER = 0.135, 0.062


def to_pictures(
    inputs: Tensor, normalization: Normalization, sizes: Sequence[tuple[int, int]] | None = None
) -> list[np.ndarray]:
    """Turn a network's input back into images.

    Args:
        inputs: The normalised input, (B, C, H, W); C is 1 or 3.
        normalization: The normalisation of the input.
        sizes: The height and width of the valid area of each image, in pixels; the padding is cut
            off. Defaults to None, nothing is padded.

    Returns:
        The B images, (h, w) for one channel or (h, w, 3) in RGB order, with values in [0, 1].
    """
    unit = normalization.to_unit(inputs.detach()).clamp(0, 1)
    if unit.shape[1] == 3 and normalization.channel_order == 'bgr':
        unit = unit.flip(1)
    pictures = unit.permute(0, 2, 3, 1).squeeze(-1).float().cpu().numpy()
    if sizes is None:
        return list(pictures)
    return [picture[:h, :w] for picture, (h, w) in zip(pictures, sizes, strict=True)]


@styled()
def plot_images(
    originals: Sequence[np.ndarray],
    augmented: Sequence[np.ndarray],
    captions: Sequence[str],
    before: Sequence[Annotations] | None = None,
    after: Sequence[Annotations] | None = None,
    columns: int = 7,
) -> Figure:
    """Draw originals above their augmented versions, with the operators written under each.

    Under label maps a legend names the classes in them.

    Args:
        originals: The B images, (h, w) or (h, w, 3), with values in [0, 1].
        augmented: The same B images, augmented.
        captions: The B texts under them, as :meth:`tst_mm.augment.Draw.describe` gives them; a
            comma breaks the line.
        before: The labels to draw on the originals. Defaults to None, no labels.
        after: The labels to draw on the augmented images. Defaults to None, no labels.
        columns: The number of images in a row; fewer make larger images. Defaults to 7.

    Returns:
        The figure; see :func:`save_figure`.

    Raises:
        ValueError: The lists are empty or differ in length.
    """
    count = len(originals)
    lengths = [len(given) for given in (augmented, captions, before, after) if given is not None]
    if not count or any(length != count for length in lengths):
        raise ValueError(f'{count} originals, but lists of {lengths}; allowed: equal, at least 1')
    columns = min(columns, count)
    side = WIDTH / columns
    height = side * max(len(image) / image.shape[1] for image in originals)
    texts = [_break_lines(caption, int(side / _CHARACTER)) for caption in captions]
    blocks = [
        2 * height + 0.15 + _LINE * max(text.count('\n') + 1 for text in texts[i : i + columns])
        for i in range(0, count, columns)
    ]
    classes = _classes([*(before or ()), *(after or ())])
    legend_columns = max(1, int(WIDTH / (0.45 + _CHARACTER * max(map(len, classes), default=1))))
    legend = (0.1 + 0.17 * math.ceil(len(classes) / legend_columns)) if classes else 0.0
    total = sum(blocks) + legend
    figure = Figure(figsize=(WIDTH, total))
    if classes:
        figure.legend(
            handles=[Patch(color=color, label=name) for name, color in classes.items()],
            loc='lower left',
            bbox_to_anchor=(0, 0),
            ncols=legend_columns,
            fontsize=7.5,
            handlelength=1.2,
            borderaxespad=0.1,
            columnspacing=1.2,
            labelspacing=0.3,
        )
    for i in range(count):
        row, column = divmod(i, columns)
        top = total - sum(blocks[:row])
        for shift, images, labels in ((height, originals, before), (2 * height, augmented, after)):
            place = (column * side + 0.03, top - shift, side - 0.06, height - 0.06)
            axes = figure.add_axes(_relative(place, total))
            _show(axes, images[i], None if labels is None else labels[i])
        figure.text(
            (column + 0.5) * side / WIDTH,
            (top - 2 * height - 0.02) / total,
            texts[i],
            fontsize=7.5,
            color=GREY if captions[i] == 'unchanged' else INK,
            ha='center',
            va='top',
            linespacing=1.15,
        )
    return figure


def _classes(labels: Sequence[Annotations]) -> dict[str, tuple[float, float, float]]:
    """The colour of each class in label maps, by name, in index order; ignored pixels come last."""
    found = {i: entry for given in labels for i, entry in given.legend.items()}
    classes = dict(found[i] for i in sorted(found))
    if any(given.ignored for given in labels):
        classes['striped: does not count'] = (0.0, 0.0, 0.0)
    return classes


def _break_lines(caption: str, width: int) -> str:
    """Give each operator a line; one that is wider than its image continues on the next."""
    parts = [textwrap.wrap(part, width) for part in caption.split(', ')]
    return '\n'.join(line for part in parts for line in part)


def _relative(place: tuple[float, ...], total: float) -> tuple[float, ...]:
    """Turn inches into fractions of the figure."""
    x, y, width, height = place
    return x / WIDTH, y / total, width / WIDTH, height / total


def _show(axes: Axes, image: np.ndarray, labels: Annotations | None) -> None:
    height, width = image.shape[:2]
    axes.imshow(
        image, cmap='gray', vmin=0, vmax=1, interpolation='nearest', extent=(0, width, height, 0)
    )
    axes.set_axis_off()
    if labels is not None:
        labels.draw(axes)
        axes.set(xlim=(0, width), ylim=(height, 0))
