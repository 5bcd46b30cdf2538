"""Tilted densities on [0, 1], proportional to exp(tilt * v): mean, its inverse, samples.

Tilt 0 is the uniform density, minus infinity the point 0, plus infinity the point 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Below it the mean is taken from its series, where the closed form would cancel.
_SMALL = 1e-2
#: Above it exp(k) is left out of 1 / k, of which it is no part in double precision.
_STEEP = 100.0
#: Smaller means are not told apart.
_TINY = 1e-30
#: Halvings of an interval after which double precision is used up.
_HALVINGS = 60


def tilted_mean(tilt: Tensor) -> Tensor:
    """Mean of the density, ``1 / (1 - exp(-k)) - 1 / k``, exact at infinite tilts.

    Args:
        tilt: k, any shape.

    Returns:
        Means in [0, 1], same shape and dtype; 0.5 at tilt 0.
    """
    k = tilt.double()
    near = k.abs() < _SMALL
    series = 0.5 + k / 12 - k**3 / 720
    away = torch.where(near, 1.0, k)
    closed = -1 / torch.expm1(-away) - 1 / away
    return torch.where(near, series, closed).clamp(0, 1).to(tilt.dtype)


def tilt_of_mean(mean: float) -> float:
    """The tilt whose density has this mean, in [0, 1]; infinite at the ends."""
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
    """Mean at tilt -k, k not negative."""
    if k < _SMALL:
        return 0.5 - k / 12 + k**3 / 720
    return 1 / k - (1 / math.expm1(k) if k < _STEEP else 0)


def tilted_sample(tilt: Tensor, uniform: Tensor) -> Tensor:
    """Samples by the inverse of the distribution function; always 0 or 1 at infinite tilts.

    Args:
        tilt: k, broadcastable to ``uniform``.
        uniform: Noise in [0, 1), any shape.

    Returns:
        Samples in [0, 1], of the broadcast shape and in ``uniform``'s dtype; they grow with the
        noise, and are the noise at tilt 0.
    """
    k, u = tilt.double(), uniform.double()
    # For k > 0 the mirror image is used: exp(k) would overflow.
    mirrored = torch.where(k > 0, 1 - u, u).clamp(max=1 - 1e-12)
    fall = -k.abs()
    safe = torch.where(fall == 0, -1.0, fall)
    sample = torch.log1p(mirrored * torch.expm1(safe)) / safe
    sample = torch.where(k > 0, 1 - sample, sample).clamp(0, 1)
    return torch.where(k == 0, u, sample).to(uniform.dtype)
