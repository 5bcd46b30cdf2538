"""Operators on fine structure: blur and noise."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from tst_mm.registry import OPERATORS

from .base import ColorOperator, ImageInfo

#: Standard deviations of a Gaussian on either side that its kernel covers.
_REACH = 2.5
#: Levels that have noise of their own, and what sets them apart.
_STEPS, _PRIME = 1 << 20, 2_654_435_761


@OPERATORS.register_module()
class Blur(ColorOperator):
    """Gaussian blur; the range is the standard deviation as a fraction of the shorter side.

    Padding takes no part; at the border of the valid area the kernel is renormalised.
    """

    limit = 0.02
    bounds = (0.0, 0.1)
    unit = 'of shorter side'

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """See the base class."""
        shorter = min(images.shape[-2:])
        radius = max(1, math.ceil(_REACH * self.limit * shorter))
        # A standard deviation of 0 is the image itself.
        sigma = (level.flatten() * self.limit * shorter).clamp(min=1e-3)
        offsets = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
        kernels = torch.exp(-0.5 * (offsets / sigma[:, None].to(images.dtype)).square())
        mask = torch.ones_like(images[:, :1]) if info.mask is None else info.mask.to(images.dtype)
        blurred = _smooth(images * mask, kernels)
        return torch.where(mask > 0, blurred / _smooth(mask, kernels).clamp(min=1e-6), images)


@OPERATORS.register_module()
class Noise(ColorOperator):
    """Noise of a triangular distribution; the range is its standard deviation in [0, 1] units.

    The noise is a function of pixel and level, so that a draw can be replayed.
    """

    limit = 0.1
    bounds = (0.0, 0.5)
    unit = 'of white'

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """See the base class."""
        _, channels, height, width = images.shape
        place = torch.arange(channels * height * width, device=images.device)
        place = place.view(channels, height, width) + (level.detach() * _STEPS).long() * _PRIME
        # Each is uniform in (0, 1), with variance 1/12.
        noise = (_hashed(2 * place) + _hashed(2 * place + 1) - 1) * math.sqrt(6)
        noise = noise.to(images.dtype)
        return info.limited(images + level * self.limit * noise)


def _smooth(images: Tensor, kernels: Tensor) -> Tensor:
    """(n, C, H, W) convolved along both axes with (n, k), an image each; zeros outside."""
    n, channels, height, width = images.shape
    radius = kernels.shape[1] // 2
    weights = kernels.repeat_interleave(channels, dim=0)
    flat = images.reshape(1, n * channels, height, width)
    rows = F.conv2d(flat, weights[:, None, None, :], padding=(0, radius), groups=n * channels)
    both = F.conv2d(rows, weights[:, None, :, None], padding=(radius, 0), groups=n * channels)
    return both.reshape(n, channels, height, width)


def _hashed(numbers: Tensor) -> Tensor:
    """Whole numbers -> numbers in (0, 1) that look unrelated, float64, same shape."""
    mixed = (numbers ^ (numbers >> 15)) * 739_982_445 & 0xFFFFFFFF
    mixed = (mixed ^ (mixed >> 12)) * 695_872_825 & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 15)) & 0xFFFFFF).double() / (1 << 24)
