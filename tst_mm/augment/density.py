"""Tilted densities on [0, 1], proportional to exp(tilt * v): mean, its inverse, samples.

Tilt 0 is the uniform density, minus infinity the point 0, plus infinity the point 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: For tilts smaller than this the mean is computed from its series: the closed form would cancel.
_SMALL = 1e-2
#: Above this exp(-k) is left out: in double precision it no longer changes the mean.
_STEEP = 100.0
#: Means that are smaller than this are not told apart.
_TINY = 1e-30
#: The number of halvings of an interval that use up double precision.
_HALVINGS = 60


def tilted_mean(tilt: Tensor) -> Tensor:
    """Compute the mean of the density, ``1 / (1 - exp(-k)) - 1 / k``; exact at infinite tilts.

    Args:
        tilt: The tilts k, of any shape.

    Returns:
        The means in [0, 1], in the same shape and dtype; 0.5 at tilt 0.
    """
    k = tilt.double()
    near = k.abs() < _SMALL
    series = 0.5 + k / 12 - k**3 / 720
    away = torch.where(near, 1.0, k)
    closed = -1 / torch.expm1(-away) - 1 / away
    return torch.where(near, series, closed).clamp(0, 1).to(tilt.dtype)


def tilt_of_mean(mean: float) -> float:
    """Find the tilt whose density has this mean, in [0, 1]; it is infinite at either end."""
    if mean in (0, 1):
        return math.copysign(math.inf, mean - 0.5)
    smaller = min(mean, 1 - mean)
    # The mean at -k is below 1 / k.
    low, high = 0.0, 1 / max(smaller, _TINY)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _falling_mean(middle) > smaller else (low, middle)
    return math.copysign(low, mean - 0.5)


def _falling_mean(k: float) -> float:
    """The mean at tilt -k, for a k that is not negative."""
    if k < _SMALL:
        return 0.5 - k / 12 + k**3 / 720
    return 1 / k - (1 / math.expm1(k) if k < _STEEP else 0)


def tilted_sample(tilt: Tensor, uniform: Tensor) -> Tensor:
    """Sample by the inverse of the distribution function; always 0 or 1 at infinite tilts.

    Args:
        tilt: The tilts k, broadcastable to ``uniform``.
        uniform: Uniform noise in [0, 1), of any shape.

    Returns:
        The samples in [0, 1], in the broadcast shape and in the dtype of ``uniform``. They grow
        with the noise, and at tilt 0 they are the noise.
    """
    k, u = tilt.double(), uniform.double()
    # For k > 0 the mirror image is used: exp(k) would overflow.
    mirrored = torch.where(k > 0, 1 - u, u).clamp(max=1 - 1e-12)
    fall = -k.abs()
    safe = torch.where(fall == 0, -1.0, fall)
    sample = torch.log1p(mirrored * torch.expm1(safe)) / safe
    sample = torch.where(k > 0, 1 - sample, sample).clamp(0, 1)
    return torch.where(k == 0, u, sample).to(uniform.dtype)
