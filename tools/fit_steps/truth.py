"""The true operators: torchvision's on uint8 images, which follow Pillow's."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

import tst_mm  # noqa: F401  (its mend lets torchvision be imported beside a CPU torch)
from tst_mm.augment.operators import Operator

import torchvision.transforms.functional as tv  # isort: skip
from torchvision.transforms import InterpolationMode  # isort: skip


def true_images(operator: Operator, images: Tensor, level: float) -> Tensor:
    """Apply the true operator, whose result the encoders should give.

    Args:
        operator: The operator with its range.
        images: The images (n, 3, H, W) uint8.
        level: The operator level, the magnitude with its sign, in [-1, 1], one for all images; see
            :func:`existing`.

    Returns:
        The changed images, (n, 3, H, W) uint8.
    """
    value = float(operator.physical(level))
    return _TRUE[operator.name](images, value)


def existing(operator: Operator, levels: Tensor) -> Tensor:
    """The nearest operator levels at which the true operator exists: whole bits for Posterize."""
    if operator.name != 'Posterize':
        return levels
    span = operator.start - operator.limit
    return (levels * span).round() / span


def _solarize(images: Tensor, threshold: float) -> Tensor:
    return images if threshold > 255 else tv.solarize(images, threshold)


def _affine(images: Tensor, shift: tuple[float, float] = (0, 0), tan: tuple = (0, 0)) -> Tensor:
    # Torchvision shears by minus the tangent, and shears y by x first.
    shear = [-math.degrees(math.atan(t)) for t in tan]
    return tv.affine(images, 0, list(shift), 1, shear, InterpolationMode.BILINEAR)


_TRUE: dict[str, Callable[[Tensor, float], Tensor]] = {
    'Brightness': lambda images, value: tv.adjust_brightness(images, 1 + value),
    'Color': lambda images, value: tv.adjust_saturation(images, 1 + value),
    'Contrast': lambda images, value: tv.adjust_contrast(images, 1 + value),
    'Sharpness': lambda images, value: tv.adjust_sharpness(images, 1 + value),
    'Posterize': lambda images, value: tv.posterize(images, round(value)),
    'Solarize': _solarize,
    'ShearX': lambda images, value: _affine(images, tan=(value, 0)),
    'ShearY': lambda images, value: _affine(images, tan=(0, value)),
    'TranslateX': lambda images, value: _affine(images, (value * images.shape[-1], 0)),
    'TranslateY': lambda images, value: _affine(images, (0, value * images.shape[-2])),
    'Rotate': lambda images, value: tv.rotate(images, -value, InterpolationMode.BILINEAR),
}
#: The operators with a learned magnitude, which stage I imitates.
LEARNED = tuple(_TRUE)


def to_unit(images: Tensor) -> Tensor:
    """Turn uint8 images into float32 ones in [0, 1]."""
    return images.to(torch.float32) / 255
