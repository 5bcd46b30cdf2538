"""Labels of an image, drawn on it: boxes, instance masks, label maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from .figure import PALETTE

_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Annotations:
    """What to draw on one image; everything is optional.

    Attributes:
        boxes: The corners x1, y1, x2, y2 of boxes, (n, 4), in pixels from the top left corner.
        masks: The masks of the instances, (n, H, W) bool.
        labels: The class indices of the instances, (n,), which choose the colours.
        label_map: The class index of each pixel, (H, W).
        ignore_index: The value in ``label_map`` that is hatched instead of coloured.
        classes: The class names, which are written at the boxes and in the legend of label maps.
        palette: The RGB colours of the classes, 0 to 255; where it is shorter, the figure has its
            own colours.
    """

    boxes: np.ndarray | None = None
    masks: np.ndarray | None = None
    labels: np.ndarray | None = None
    label_map: np.ndarray | None = None
    ignore_index: int = 255
    classes: Sequence[str] = ()
    palette: Sequence[Sequence[int]] = ()

    @property
    def legend(self) -> dict[int, tuple[str, tuple[float, float, float]]]:
        """The name and the colour of each class in the label map, by index."""
        if self.label_map is None:
            return {}
        found = (int(value) for value in np.unique(self.label_map) if value != self.ignore_index)
        return {
            i: (
                str(self.classes[i]) if i < len(self.classes) else f'class {i}',
                class_color(i, self.palette),
            )
            for i in found
        }

    @property
    def ignored(self) -> bool:
        """Whether the label map has pixels that do not count."""
        return self.label_map is not None and bool((self.label_map == self.ignore_index).any())

    def draw(self, axes: Axes) -> None:
        """Draw on axes that show the image."""
        if self.label_map is not None:
            self._draw_map(axes)
        if self.masks is not None:
            for i, mask in enumerate(np.asarray(self.masks, bool)):
                axes.imshow(_tint(mask, self._color(i), 0.45), extent=_extent(mask))
        if self.boxes is not None:
            for i, box in enumerate(np.asarray(self.boxes, float)):
                self._draw_box(axes, i, box)

    def _draw_box(self, axes: Axes, i: int, box: np.ndarray) -> None:
        x1, y1, x2, y2 = box
        color = self._color(i)
        axes.add_patch(
            Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=color, linewidth=1.4)
        )
        if self.labels is not None and len(self.classes):
            name = self.classes[int(self.labels[i])]
            style = {'facecolor': color, 'edgecolor': 'none', 'pad': 0.8}
            ink = 'black' if np.dot(color, _LUMA) > 0.5 else 'white'
            # The name stands outside of the box, but inside of the image.
            width, height = axes.get_xlim()[1], axes.get_ylim()[0]
            x, side = (min(x2, width), 'right') if x1 > 0.85 * width else (x1, 'left')
            place = 'top' if y1 < 0.06 * height else 'bottom'
            axes.text(x, y1, name, fontsize=6, color=ink, va=place, ha=side, bbox=style)

    def _draw_map(self, axes: Axes) -> None:
        classes = np.asarray(self.label_map)
        for value in np.unique(classes):
            color = (0.0, 0.0, 0.0)
            if value != self.ignore_index:
                color = class_color(int(value), self.palette)
            where = classes == value
            if value == self.ignore_index:  # hatched, unlike any class
                rows, columns = np.indices(classes.shape)
                where = where & ((rows + columns) // max(1, len(classes) // 48) % 2 == 0)
            axes.imshow(_tint(where, color, 0.45), extent=_extent(classes))

    def _color(self, i: int) -> tuple[float, float, float]:
        if self.labels is None:
            return class_color(i)
        return class_color(int(self.labels[i]), self.palette)


def class_color(index: int, palette: Sequence[Sequence[int]] = ()) -> tuple[float, float, float]:
    """The RGB colour of a class, in [0, 1]; each round of the default palette is darker.

    Args:
        index: The index of the class.
        palette: The RGB colours of the data set, 0 to 255; beyond its end the default palette
            counts.
    """
    if not isinstance(palette, str) and index < len(palette):  # in mmdet a palette may be a name
        red, green, blue = (float(value) / 255 for value in palette[index])
        return red, green, blue
    turn, position = divmod(index, len(PALETTE))
    return tuple(part * 0.7**turn for part in to_rgb(PALETTE[position]))


def _tint(where: np.ndarray, color: tuple[float, float, float], alpha: float) -> np.ndarray:
    """Colour the True pixels of a mask, (H, W) bool, in an RGBA image, (H, W, 4)."""
    layer = np.zeros((*where.shape, 4))
    layer[where] = (*color, alpha)
    return layer


def _extent(image: np.ndarray) -> tuple[float, float, float, float]:
    """The extent with which matplotlib lets pixel i cover [i, i + 1], as boxes count."""
    height, width = image.shape[-2:]
    return 0, width, height, 0
