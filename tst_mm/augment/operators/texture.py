"""Operators on fine structure: blur and noise."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from tst_mm.registry import OPERATORS

from .base import ColorOperator, ImageInfo

#: How many standard deviations of a Gaussian its kernel covers on either side.
_REACH = 2.5
#: How many operator levels have noise of their own, and the factor that sets their seeds apart.
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
        """Apply the operator, as :meth:`ColorOperator.apply` describes it."""
        shorter = min(images.shape[-2:])
        radius = max(1, math.ceil(_REACH * self.limit * shorter))
        # A standard deviation near 0 gives the image itself, without a division by 0.
        sigma = (level.flatten() * self.limit * shorter).clamp(min=1e-3)
        offsets = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
        kernels = torch.exp(-0.5 * (offsets / sigma[:, None].to(images.dtype)).square())
        mask = torch.ones_like(images[:, :1]) if info.mask is None else info.mask.to(images.dtype)
        blurred = _smooth(images * mask, kernels)
        return torch.where(mask > 0, blurred / _smooth(mask, kernels).clamp(min=1e-6), images)


@OPERATORS.register_module()
class Noise(ColorOperator):
    """Noise of a triangular distribution; the range is its standard deviation in [0, 1] units.

    The noise is a function of pixel and operator level, so that a draw can be replayed.
    """

    limit = 0.1
    bounds = (0.0, 0.5)
    unit = 'of white'

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the operator, as :meth:`ColorOperator.apply` describes it."""
        _, channels, height, width = images.shape
        place = torch.arange(channels * height * width, device=images.device)
        place = place.view(channels, height, width) + (level.detach() * _STEPS).long() * _PRIME
        # Each of the two numbers is uniform in (0, 1), with variance 1/12.
        noise = (_hashed(2 * place) + _hashed(2 * place + 1) - 1) * math.sqrt(6)
        noise = noise.to(images.dtype)
        return info.limited(images + level * self.limit * noise)


def _smooth(images: Tensor, kernels: Tensor) -> Tensor:
    """Convolve images, (n, C, H, W), along both axes with a kernel for each, (n, k); 0 outside."""
    n, channels, height, width = images.shape
    radius = kernels.shape[1] // 2
    weights = kernels.repeat_interleave(channels, dim=0)
    flat = images.reshape(1, n * channels, height, width)
    rows = F.conv2d(flat, weights[:, None, None, :], padding=(0, radius), groups=n * channels)
    both = F.conv2d(rows, weights[:, None, :, None], padding=(radius, 0), groups=n * channels)
    return both.reshape(n, channels, height, width)


def _hashed(numbers: Tensor) -> Tensor:
    """Turn whole numbers into float64 numbers in (0, 1) that look unrelated, in the same shape."""
    mixed = (numbers ^ (numbers >> 15)) * 739_982_445 & 0xFFFFFFFF
    mixed = (mixed ^ (mixed >> 12)) * 695_872_825 & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 15)) & 0xFFFFFF).double() / (1 << 24)
