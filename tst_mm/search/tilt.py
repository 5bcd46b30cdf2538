"""A policy that is its prior, tilted by what is known of the operators."""

from __future__ import annotations

import torch
from torch import Tensor

from .experiment import Effects


def shrink(effects: Tensor, errors: Tensor) -> Tensor:
    """Take from effects what may be chance: ``e max(0, 1 - se^2 / e^2)``.

    An effect within its standard error becomes 0, one of twice its error keeps three quarters.

    Args:
        effects: Any shape.
        errors: The same shape, 0 or more; infinite where nothing is known.
    """
    ratio = torch.where(effects == 0, torch.inf, errors / effects)
    kept = (1 - ratio.square()).clamp(min=0)
    return torch.where(kept > 0, effects * kept, 0.0)


def tilt(prior: Tensor, effects: Effects, temperature: float) -> tuple[Tensor, Tensor]:
    """Rates and densities of magnitudes that follow from a prior and from effects.

    The policy is the prior times ``exp(-J / (spread * temperature))``: what an operator changes,
    in units of the spread of single images, moves the logit of its rate, and its slope tilts the
    density of its magnitude, which is proportional to ``exp(tilt * v)`` on [0, 1].

    Args:
        prior: (N,) logits of the rates where nothing is known.
        effects: Of N operators.
        temperature: Positive; how far the same evidence carries is inverse to it.

    Returns:
        (N,) logits of the rates and (N,) tilts of the magnitudes, float64. Without evidence, or at
        an infinite temperature, they are the prior and 0, exactly.
    """
    unit = effects.spread * temperature
    prior = prior.double()
    if not unit > 0:
        return prior, torch.zeros_like(prior)
    return (
        prior - shrink(effects.main, effects.main_error) / unit,
        -shrink(effects.slope, effects.slope_error) / unit,
    )
