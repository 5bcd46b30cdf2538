"""What every augmentation operator has: a name, a range, a sign rule and a differentiable form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..rows import Selection, take

#: The ITU-R 601 weights of red, green and blue, which Pillow's grey images have too.
LUMA_RGB = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class ImageInfo:
    """What an operator may know about the n images it is given.

    Attributes:
        luma (Tensor): The weight of each channel in the grey value, (C, 1, 1), summing to 1, in
            the channel order of the images.
        mask (Tensor, optional): The valid areas, (n, 1, H, W) bool, True where the image is and
            False in the padding; None where nothing is padded. For a look-up table (see
            :attr:`ColorOperator.pointwise`) it is the number of pixels that have each grey value,
            (n, C, H, W).
        channel_order (str): The order of the channels of images that have three, ``'rgb'``
            (default) or ``'bgr'``.
    """

    luma: Tensor
    mask: Tensor | None = None
    channel_order: str = 'rgb'

    def select(self, images: Selection | None) -> ImageInfo:
        """The same information for some of the images only; None means all."""
        if images is None or self.mask is None:
            return self
        return replace(self, mask=take(self.mask, images))

    def limited(self, images: Tensor) -> Tensor:
        """Keep values in [0, 1]; a subclass may leave them as they are."""
        return _Limited.apply(images) if torch.is_grad_enabled() else images.clamp(0, 1)


class Operator:
    """Base of all operators.

    An *operator level*, or level for short, is a magnitude in [0, 1] times a sign. Level 0 is the
    identity wherever the operator has a learned magnitude; at level 1 the physical value is
    ``limit``. The brightness of a pixel, from 0 to 255, is called its grey value instead, and a
    level of a feature pyramid a feature level.

    Args:
        limit (float, optional): The physical value at magnitude 1, in ``unit``. Defaults to that
            of the class.

    Raises:
        ValueError: ``limit`` is outside of ``bounds``.
    """

    #: Whether the magnitude is learned; otherwise the operator level is always 1.
    has_magnitude: bool = True
    #: Whether an operator level may be negative.
    signed: bool = False
    #: How often it acts on an image that it is drawn for, before anything is learned.
    rate: float = 0.8
    #: The physical value at operator level 0.
    start: float = 0.0
    #: The smallest and the largest ``limit`` that are allowed.
    bounds: tuple[float, float] = (0.0, 1.0)
    #: The unit that the physical value is measured in.
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
        """The name in policies, configs and logs, which is that of the class."""
        return type(self).__name__

    def physical(self, level: Tensor | float) -> Tensor | float:
        """The physical value, in ``unit``, at an operator level; any shape."""
        return self.start + (self.limit - self.start) * level

    def __repr__(self) -> str:
        return f'{self.name}(limit={self.limit:g})'


class ColorOperator(Operator):
    """An operator that changes values in place and moves no pixel."""

    #: Whether a channel's new value depends on its old one and the image's histogram only, so that
    #: a look-up table does on 8-bit images what the operator does.
    pointwise: bool = False

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Change the colours of images.

        Args:
            images: The images, (n, C, H, W), with values in [0, 1]; they are never modified.
            level: The operator level on each image, (n, 1, 1, 1) in [-1, 1].
            info: The channel weights and the valid areas of these images.

        Returns:
            The changed images, (n, C, H, W), kept in [0, 1] by :meth:`ImageInfo.limited`. They are
            differentiable in ``images`` and, where the operator has a magnitude, in ``level``.
        """
        raise NotImplementedError(f'operator {self.name} must define apply')


class GeometricOperator(Operator):
    """An operator that moves pixels by an affine map; labels follow the same map."""

    def matrix(self, level: Tensor, extents: Tensor) -> Tensor:
        """Give the forward map, source to destination, about the centre of the valid area.

        Args:
            level: The operator level on each image, (n,) in [-1, 1].
            extents: The height and width of the valid areas in pixels, (n, 2).

        Returns:
            The maps, (n, 3, 3), acting on homogeneous column vectors (x, y, 1) in pixels, with the
            origin at the centre of the valid area. They are differentiable in ``level``.
        """
        raise NotImplementedError(f'operator {self.name} must define matrix')


class EraseOperator(Operator):
    """An operator that replaces a region by the fill value; labels stay."""

    def region(
        self, level: Tensor, position: Tensor, extents: Tensor, height: int, width: int
    ) -> Tensor:
        """Give the region to erase.

        Args:
            level: The operator level on each image, (n,) in [0, 1].
            position: The drawn y and x, (n, 2) in [0, 1], as parts of the valid area.
            extents: The height and width of the valid areas in pixels, (n, 2).
            height: The height of the images in pixels.
            width: The width of the images in pixels.

        Returns:
            The region, (n, 1, height, width): 1 where the image is erased and 0 elsewhere.
        """
        raise NotImplementedError(f'operator {self.name} must define region')


def straight_through(value: Tensor, surrogate: Tensor) -> Tensor:
    """Return ``value``, with the gradient of ``surrogate``, which has the same shape."""
    return _StraightThrough.apply(value, surrogate) if torch.is_grad_enabled() else value


class _StraightThrough(torch.autograd.Function):
    """Hands the gradient on without the copies that sums and differences would make."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, surrogate: Tensor) -> Tensor:
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        return None, grad


class _Limited(torch.autograd.Function):
    """``clamp(0, 1)`` with a faster backward: torch's makes four passes, one of them slow."""

    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(images)
        return images.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (images,) = ctx.saved_tensors
        kind = torch.finfo(images.dtype)
        # One pass, open at both ends; black and white themselves are inside.
        return torch.ops.aten.hardtanh_backward(grad, images, -kind.tiny, 1 + kind.eps)
