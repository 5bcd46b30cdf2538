"""Images of a run before and after the augmenter, with their labels, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from tst_mm.augment import Draw

from .annotations import Annotations
from .image_grid import plot_images, to_pictures


@dataclass
class Examples:
    """Images, what the augmenter made of them, and what it did.

    Boxes, instance masks and label maps are those that the student gets.

    Attributes:
        limit: The largest number of images that are kept.
        classes: The class names, which are written at boxes and in the legend of label maps.
        originals: The images as the student's preprocessor gives them; see :func:`to_pictures`.
        augmented: The same images, augmented.
        captions: The words that say what was drawn for each image.
        before: The labels of the originals.
        after: The labels of the augmented images.
        palette: The RGB colours of the classes, 0 to 255; may be empty.
    """

    limit: int
    classes: Sequence[str] = ()
    originals: list[np.ndarray] = field(default_factory=list)
    augmented: list[np.ndarray] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    before: list[Annotations] = field(default_factory=list)
    after: list[Annotations] = field(default_factory=list)
    palette: Sequence[Sequence[int]] = ()

    def __len__(self) -> int:
        return len(self.originals)

    def add(
        self, model: Any, inputs: Tensor, samples: list, images: Tensor, moved: list, draw: Draw
    ) -> None:
        """Keep images of a batch until there are enough.

        Args:
            model: The distiller.
            inputs: The preprocessed images, (B, C, H, W).
            samples: The B data samples of the images.
            images: The same images, augmented, (B, C, H, W).
            moved: The B data samples, whose labels followed the images.
            draw: The draw that the images were augmented by.
        """
        count = min(self.limit - len(self), len(draw))
        if count <= 0:
            return
        sizes, normalization = draw.sizes[:count], model.augmenter.normalization
        self.originals += to_pictures(inputs[:count], normalization, sizes)
        self.augmented += to_pictures(images[:count], normalization, sizes)
        self.captions += [draw.describe(i) for i in range(count)]
        self.before += self._annotations(samples[:count], sizes)
        self.after += self._annotations(moved[:count], sizes)

    def plot(self, columns: int | None = None) -> Figure:
        """Draw all images.

        Args:
            columns: The number of images in a row. Defaults to as many as are large enough to see.

        Returns:
            The figure; see :func:`save_figure`.

        Raises:
            ValueError: No image was kept.
        """
        columns = columns or _columns(self.originals)
        lists = (self.originals, self.augmented, self.captions, self.before, self.after)
        return plot_images(*lists, columns=columns)

    def _annotations(
        self, samples: Sequence[Any], sizes: Sequence[tuple[int, int]]
    ) -> list[Annotations]:
        """Read labels from data samples of mmdet and mmseg; mmpretrain's hold nothing to draw."""
        found = []
        for sample, (height, width) in zip(samples, sizes, strict=True):
            instances = sample.get('gt_instances')
            label_map = sample.get('gt_sem_seg')
            drawn: dict[str, Any] = {}
            if instances is not None:
                masks = instances.get('masks')
                if masks is not None:
                    drawn['masks'] = masks.to_ndarray()[:, :height, :width]
                boxes = instances.bboxes
                drawn['boxes'] = getattr(boxes, 'tensor', boxes).cpu().numpy()
                drawn['labels'] = instances.labels.cpu().numpy()
            elif label_map is not None:
                drawn['label_map'] = label_map.data[0, :height, :width].cpu().numpy()
            found.append(Annotations(**drawn, classes=self.classes, palette=self.palette))
        return found


def _columns(images: Sequence[np.ndarray]) -> int:
    """The images in a row by their typical size: seven icons, three photographs, two panoramas."""
    if not images:
        return 1
    heights, widths = zip(*(image.shape[:2] for image in images), strict=True)
    height, width = np.median(heights), np.median(widths)
    if width >= 1.7 * height:
        return 2
    return 6 if width <= 64 else 4 if width <= 160 else 3
