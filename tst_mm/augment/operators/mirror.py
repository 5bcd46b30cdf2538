"""Further geometric operators of the wide sets: mirror images and zoom."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from tst_mm.registry import OPERATORS

from .base import GeometricOperator


class _Flip(GeometricOperator):
    """Mirror image of the valid area."""

    has_magnitude = False
    bounds = (1.0, 1.0)  # there is no range to set
    signs: ClassVar[tuple[float, float, float]]

    def matrix(self, level: Tensor, extents: Tensor) -> Tensor:
        """Give the map of :meth:`GeometricOperator.matrix`; the operator level has no effect."""
        return torch.diag(level.new_tensor(self.signs)).expand(len(level), 3, 3)


@OPERATORS.register_module()
class FlipX(_Flip):
    """Left becomes right. Key points keep their names, so leave it out where those name a side."""

    signs = (-1.0, 1.0, 1.0)


@OPERATORS.register_module()
class FlipY(_Flip):
    """Top becomes bottom."""

    signs = (1.0, -1.0, 1.0)


@OPERATORS.register_module()
class Zoom(GeometricOperator):
    """Larger at positive levels, smaller at negative ones, about the centre.

    At level 1 lengths are multiplied by ``1 + limit``, at level -1 divided by it.
    """

    signed = True
    limit = 0.5
    bounds = (0.0, 3.0)
    unit = 'of size'

    def matrix(self, level: Tensor, extents: Tensor) -> Tensor:
        """Give the map, as :meth:`GeometricOperator.matrix` describes it."""
        scale = torch.pow(1 + self.limit, level)
        return torch.diag_embed(torch.stack((scale, scale, torch.ones_like(scale)), dim=-1))
