"""Operators that erase a region."""

from __future__ import annotations

import torch
from torch import Tensor

from tst_mm.registry import OPERATORS

from .base import EraseOperator


@OPERATORS.register_module()
class Cutout(EraseOperator):
    """Erase a square, centred anywhere in the valid area and cut at its border.

    The side is a fraction of the shorter side of the valid area, or fixed. In the reference it is
    the image side on classification (56 % of the area on average) and 128 pixels on dense tasks.

    Args:
        limit: The side as a fraction of the shorter side of the valid area. Defaults to 0.5.
        pixels: The side in pixels, whatever the size of the image, in place of ``limit``. Defaults
            to None.

    Raises:
        ValueError: The side is outside of its bounds, or both arguments are given.
    """

    has_magnitude = False
    rate = 0.1  # it can take away what the label names
    limit = 0.5
    bounds = (0.0, 1.0)
    unit = 'of shorter side'

    def __init__(self, limit: float | None = None, pixels: int | None = None) -> None:
        if limit is not None and pixels is not None:
            raise ValueError('Cutout has limit and pixels; allowed: one of them')
        self.pixels = pixels is not None
        if pixels is not None:
            self.bounds, self.unit = (1.0, 10_000.0), 'pixels'
        super().__init__(limit if pixels is None else pixels)

    def region(
        self, level: Tensor, position: Tensor, extents: Tensor, height: int, width: int
    ) -> Tensor:
        """Give the square to erase, as :meth:`EraseOperator.region` describes it."""
        half = level.detach() * self.limit / 2
        half = (half if self.pixels else half * extents.amin(dim=1))[:, None]
        centre = position * extents
        rows = torch.arange(0.5, height, device=extents.device, dtype=extents.dtype)
        columns = torch.arange(0.5, width, device=extents.device, dtype=extents.dtype)
        in_rows, in_columns = (
            torch.le(away.abs(), half, out=torch.empty_like(away))  # 1 and 0, not bool
            for away in (rows - centre[:, :1], columns - centre[:, 1:])
        )
        return in_rows[:, None, :, None] * in_columns[:, None, None, :]
