"""What every augmentation operator has: a name, a range, a sign rule and a differentiable form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..rows import take

#: ITU-R 601 weights of red, green and blue, those of Pillow's grey images.
LUMA_RGB = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class ImageInfo:
    """What an operator may know about the n images it is given.

    Attributes:
        luma (Tensor): (C, 1, 1) weights of the channels in the grey value, summing to 1, in the
            channel order of the images.
        mask (Tensor, optional): (n, 1, H, W) bool, True where the image is and False in the
            padding; None when nothing is padded. Of a look-up table (see
            :attr:`ColorOperator.pointwise`) how many pixels have each level, (n, C, H, W).
        channel_order (str): ``'rgb'`` (default) or ``'bgr'``, of images with three channels.
    """

    luma: Tensor
    mask: Tensor | None = None
    channel_order: str = 'rgb'

    def select(self, images: Sequence[int] | None) -> ImageInfo:
        """The same for the images at these positions; None means all."""
        if images is None or self.mask is None:
            return self
        return replace(self, mask=take(self.mask, images))

    def limited(self, images: Tensor) -> Tensor:
        """Values kept in [0, 1]."""
        return _Limited.apply(images)


class Operator:
    """Base of all operators.

    A *level* is a magnitude in [0, 1] times a sign; 0 is the identity wherever the operator has a
    learned magnitude, and ``limit`` is the physical value reached at level 1.

    Args:
        limit (float, optional): Physical value at magnitude 1, in ``unit``, instead of the class's.

    Raises:
        ValueError: When ``limit`` is outside ``bounds``.
    """

    #: Whether the magnitude is learned; without it the level is always 1.
    has_magnitude: bool = True
    #: Whether a level may be negative.
    signed: bool = False
    #: Physical value at level 0.
    start: float = 0.0
    #: Smallest and largest allowed ``limit``.
    bounds: tuple[float, float] = (0.0, 1.0)
    #: What the physical value is measured in.
    unit: str = ''

    limit: float = 1.0

    def __init__(self, limit: float | None = None) -> None:
        low, high = self.bounds
        if limit is not None:
            number = isinstance(limit, (int, float)) and not isinstance(limit, bool)
            if not number or not low <= limit <= high:
                raise ValueError(
                    f'range of operator {self.name} is {limit!r}; allowed: {low:g} to {high:g}'
                    f'{" " + self.unit if self.unit else ""}'
                )
            self.limit = float(limit)

    @property
    def name(self) -> str:
        """Name in policies, configs and logs: that of the class."""
        return type(self).__name__

    def physical(self, level: Tensor | float) -> Tensor | float:
        """Physical value, in ``unit``, at a level; any shape."""
        return self.start + (self.limit - self.start) * level

    def __repr__(self) -> str:
        return f'{self.name}(limit={self.limit:g})'


class ColorOperator(Operator):
    """An operator that changes values in place and moves no pixel."""

    #: Whether a channel's new value depends on its old one and the image's histogram only, so that
    #: a look-up table does on 8-bit images what the operator does.
    pointwise: bool = False

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Transform images.

        Args:
            images: (n, C, H, W), values in [0, 1]; never modified.
            level: (n, 1, 1, 1) in [-1, 1].
            info: Channel weights and valid area of these images.

        Returns:
            (n, C, H, W), kept in [0, 1] by :meth:`ImageInfo.limited`; differentiable in ``images``
            and, where the operator has a magnitude, in ``level``.
        """
        raise NotImplementedError(f'operator {self.name} must define apply')


class GeometricOperator(Operator):
    """An operator that moves pixels by an affine map; labels follow the same map."""

    def matrix(self, level: Tensor, extents: Tensor) -> Tensor:
        """Forward map, source to destination, about the centre of the valid area.

        Args:
            level: (n,) in [-1, 1].
            extents: (n, 2) height and width of the valid area in pixels.

        Returns:
            (n, 3, 3) acting on homogeneous column vectors (x, y, 1) in pixels, with the origin at
            the centre of the valid area; differentiable in ``level``.
        """
        raise NotImplementedError(f'operator {self.name} must define matrix')


class EraseOperator(Operator):
    """An operator that replaces a region by the fill value; labels stay."""

    def region(
        self, level: Tensor, position: Tensor, extents: Tensor, height: int, width: int
    ) -> Tensor:
        """Region to erase.

        Args:
            level: (n,) in [0, 1].
            position: (n, 2) drawn y and x in [0, 1], relative to the valid area.
            extents: (n, 2) height and width of the valid area in pixels.
            height: Rows of the images.
            width: Columns of the images.

        Returns:
            (n, 1, height, width), 1 where the image is erased and 0 elsewhere.
        """
        raise NotImplementedError(f'operator {self.name} must define region')


def straight_through(value: Tensor, surrogate: Tensor) -> Tensor:
    """``value`` forward, the gradient of ``surrogate`` backward; same shapes."""
    return _StraightThrough.apply(value, surrogate)


class _StraightThrough(torch.autograd.Function):
    """Hands the gradient on as it is, where sums and differences would copy it."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, surrogate: Tensor) -> Tensor:
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        return None, grad


class _Limited(torch.autograd.Function):
    """``clamp(0, 1)``, whose own backward needs four passes over the images and a slow one."""

    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        limited = images.clamp(0, 1)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(images == limited)
        return limited

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (inside,) = ctx.saved_tensors
        return grad * inside
