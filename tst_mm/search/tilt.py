"""From what is known of the operators to what tilts a policy."""

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


def tilt(effects: Effects, temperature: float) -> tuple[Tensor, Tensor]:
    """How far evidence carries a policy away from its prior.

    The policy is the prior times ``exp(-J / (spread * temperature))``: what an operator changes,
    in units of the spread of single images, moves the logit of its rate, and its slope tilts the
    density of its magnitude, which is proportional to ``exp(tilt * v)`` on [0, 1].

    Args:
        effects: Of N operators.
        temperature: Positive; how far the same evidence carries is inverse to it.

    Returns:
        (N,) what to add to the logits of the rates and (N,) what to add to the tilts of the
        magnitudes, float64; exactly 0 without evidence, or at an infinite temperature.
    """
    unit = effects.spread * temperature
    if not unit > 0:
        return torch.zeros_like(effects.main), torch.zeros_like(effects.slope)
    main = shrink(effects.main, effects.main_error) / unit
    return -main, -shrink(effects.slope, effects.slope_error) / unit
