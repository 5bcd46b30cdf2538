"""Operators that erase a region."""

from __future__ import annotations

import torch
from torch import Tensor

from tst_mm.registry import OPERATORS

from .base import EraseOperator


@OPERATORS.register_module()
class Cutout(EraseOperator):
    """Erase a square, centred anywhere in the valid area and cut at its border.

    The side is a fraction of the shorter side of the valid area. Deviation from the reference,
    whose side is the image side on classification (56 % of the area on average).
    """

    has_magnitude = False
    limit = 0.5
    bounds = (0.0, 1.0)
    unit = 'of shorter side'

    def region(
        self, level: Tensor, position: Tensor, extents: Tensor, height: int, width: int
    ) -> Tensor:
        """See the base class."""
        half = (level * self.limit * extents.amin(dim=1) / 2)[:, None]
        centre = position * extents
        rows = torch.arange(height, device=extents.device, dtype=extents.dtype) + 0.5
        columns = torch.arange(width, device=extents.device, dtype=extents.dtype) + 0.5
        in_rows = (rows - centre[:, :1]).abs() <= half
        in_columns = (columns - centre[:, 1:]).abs() <= half
        return (in_rows[:, None, :, None] & in_columns[:, None, None, :]).to(extents.dtype)
