"""A draw on one 8-bit image: the augmenter's operators, with look-up tables where they suffice."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from tst_mm.augment import Draw
from tst_mm.augment.operators import ColorOperator, EraseOperator, ImageInfo
from tst_mm.augment.warp import is_identity, sample_images


@torch.no_grad()
def augment_pixels(image: np.ndarray, draw: Draw, luma: Tensor, fill: np.ndarray) -> np.ndarray:
    """Apply a draw to one image.

    Consecutive colour operators that act on single values become one table of 256 entries; nothing
    is rounded before the end.

    Args:
        image: The image, (H, W, C) uint8, which is not modified.
        draw: The draw for this image, with gates 0 or 1.
        luma: The weight of each channel in the grey value, (C, 1, 1), summing to 1.
        fill: The grey values, 0 to 255, of what comes from outside or is erased, (C,).

    Returns:
        The augmented image, (H, W, C) uint8; ``image`` itself where nothing acts.
    """
    state: _LookUp | Tensor = _LookUp(image)
    for operator, level in _acting(draw, ColorOperator):
        if isinstance(state, _LookUp) and operator.pointwise:
            state.apply(operator, level, luma)
            continue
        if isinstance(state, _LookUp):
            state = state.pixels()
        state = operator.apply(state, level.view(1, 1, 1, 1), ImageInfo(luma))
    if draw.moved_images and not is_identity(draw.matrix):
        # The augmenter fills with 0, which for the network is its mean colour, as ``fill`` here.
        offset = torch.from_numpy(fill).view(-1, 1, 1) / 255
        pixels = state.pixels(offset) if isinstance(state, _LookUp) else state - offset
        new = _to_image(sample_images(pixels, draw.matrix), fill)
    else:
        new = state.image() if isinstance(state, _LookUp) else _to_image(state)
    for operator, level in _acting(draw, EraseOperator):
        region = operator.region(level.view(1), draw.positions, draw.extents, *image.shape[:2])
        new = new.copy() if new is image else new
        new[region[0, 0].numpy() > 0.5] = _rounded(fill)
    return new


class _LookUp:
    """An 8-bit image and a table of what each of its values has become, in [0, 1]."""

    def __init__(self, image: np.ndarray) -> None:
        self.original = image
        self.planes = [np.ascontiguousarray(plane) for plane in cv2.split(image)]
        self.table = (torch.arange(256) / 255).expand(1, len(self.planes), 1, 256)
        self.counts: Tensor | None = None

    def apply(self, operator: ColorOperator, level: Tensor, luma: Tensor) -> None:
        """Let a pointwise operator act on the table as on an image with one pixel per value."""
        if self.counts is None:
            counts = [cv2.calcHist([plane], [0], None, [256], [0, 256]) for plane in self.planes]
            self.counts = torch.from_numpy(np.stack(counts)).view(self.table.shape)
        info = ImageInfo(luma, self.counts)
        self.table = operator.apply(self.table, level.view(1, 1, 1, 1), info)

    def pixels(self, offset: Tensor | None = None) -> Tensor:
        """The values in [0, 1], (1, C, H, W), less ``offset``, (C, 1, 1)."""
        table = self.table if offset is None else self.table - offset
        pixels = np.empty((len(self.planes), *self.original.shape[:2]), np.float32)
        for plane, levels, new in zip(self.planes, table[0, :, 0].numpy(), pixels, strict=True):
            cv2.LUT(plane, np.ascontiguousarray(levels), new)
        return torch.from_numpy(pixels)[None]

    def image(self) -> np.ndarray:
        """The image, (H, W, C) uint8; the original where no operator has acted."""
        if self.counts is None:
            return self.original
        tables = _rounded(self.table[0, :, 0].numpy() * 255)
        return _merge([cv2.LUT(*pair) for pair in zip(self.planes, tables, strict=True)])


def _acting(draw: Draw, family: type) -> list[tuple]:
    """Operators of a family that act, in index order, each with its operator level, 0-dim."""
    return [
        (operator, draw.levels[0, i])
        for i, operator in enumerate(draw.operators)
        if isinstance(operator, family) and draw.acted_on[i] is None
    ]


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _to_image(pixels: Tensor, fill: np.ndarray | None = None) -> np.ndarray:
    """Turn values in [0, 1], (1, C, H, W), less ``fill`` in grey values, into (H, W, C) uint8."""
    planes = pixels[0].contiguous().numpy()
    offsets = np.zeros(len(planes)) if fill is None else fill
    return _merge(
        [
            cv2.convertScaleAbs(plane, alpha=255, beta=float(offset))
            for plane, offset in zip(planes, offsets, strict=True)
        ]
    )


def _merge(planes: list[np.ndarray]) -> np.ndarray:
    """Stack planes, (H, W) each, to an image, (H, W, C)."""
    return cv2.merge(planes).reshape(*planes[0].shape, len(planes))
