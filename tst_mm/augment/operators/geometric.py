"""Geometric operators: affine matrices in pixels, so a circle stays a circle under rotation."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from tst_mm.registry import OPERATORS

from .base import GeometricOperator


def _identity_plus(entry: tuple[int, int], value: Tensor) -> Tensor:
    """Identities, (n, 3, 3), with ``value``, (n,), added at ``entry``."""
    return torch.eye(3, dtype=value.dtype, device=value.device) + F.pad(
        value[:, None, None], (entry[1], 2 - entry[1], entry[0], 2 - entry[0])
    )


class _Shear(GeometricOperator):
    """Shear of one axis by the other, given as the tangent of the angle."""

    signed = True
    limit = 0.3
    unit = 'tan'
    entry: ClassVar[tuple[int, int]]

    def matrix(self, level: Tensor, extents: Tensor) -> Tensor:
        """Give the map, as :meth:`GeometricOperator.matrix` describes it."""
        return _identity_plus(self.entry, level * self.limit)


@OPERATORS.register_module()
class ShearX(_Shear):
    """Horizontal shear: x += tan * y."""

    entry = (0, 1)


@OPERATORS.register_module()
class ShearY(_Shear):
    """Vertical shear: y += tan * x."""

    entry = (1, 0)


class _Translate(GeometricOperator):
    """Shift along one axis by a fraction of the valid size."""

    signed = True
    limit = 150 / 331
    entry: ClassVar[tuple[int, int]]
    extent: ClassVar[int]

    def matrix(self, level: Tensor, extents: Tensor) -> Tensor:
        """Give the map, as :meth:`GeometricOperator.matrix` describes it."""
        return _identity_plus(self.entry, level * self.limit * extents[:, self.extent])


@OPERATORS.register_module()
class TranslateX(_Translate):
    """Horizontal shift by a fraction of the valid width."""

    entry, extent = (0, 2), 1
    unit = 'of width'


@OPERATORS.register_module()
class TranslateY(_Translate):
    """Vertical shift by a fraction of the valid height."""

    entry, extent = (1, 2), 0
    unit = 'of height'


@OPERATORS.register_module()
class Rotate(GeometricOperator):
    """Rotation about the centre; positive angles turn clockwise on the screen (y points down)."""

    signed = True
    limit = 30.0
    bounds = (0.0, 180.0)
    unit = 'degrees'

    def matrix(self, level: Tensor, extents: Tensor) -> Tensor:
        """Give the map, as :meth:`GeometricOperator.matrix` describes it."""
        angle = level * (self.limit * math.pi / 180)
        cos, sin = torch.cos(angle), torch.sin(angle)
        zero, one = torch.zeros_like(angle), torch.ones_like(angle)
        entries = [cos, -sin, zero, sin, cos, zero, zero, zero, one]
        return torch.stack(entries, dim=-1).view(-1, 3, 3)
