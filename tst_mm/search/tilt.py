"""From what is known of the operators to how far the policy is tilted."""

from __future__ import annotations

import torch
from torch import Tensor

from .experiment import KNOWN, Effects


def shrink(effects: Tensor, errors: Tensor) -> Tensor:
    """Take from effects what may be chance: ``e max(0, 1 - (2 se)^2 / e^2)``.

    An effect that is not known, within twice its standard error (:meth:`Effects.known`), becomes 0;
    one of four times its error keeps three quarters.

    Args:
        effects: The effects, of any shape.
        errors: Their standard errors, in the same shape, at least 0; infinite where nothing is
            known.
    """
    ratio = torch.where(effects == 0, torch.inf, errors / effects)
    kept = (1 - (KNOWN * ratio).square()).clamp(min=0)
    return torch.where(kept > 0, effects * kept, 0.0)


def tilt(effects: Effects, temperature: float) -> tuple[Tensor, Tensor]:
    """How far evidence carries a policy away from its prior.

    The policy is the prior times ``exp(-J / (spread * temperature))``: what an operator changes,
    in units of the spread of single images, moves the logit of its rate, and its slope tilts the
    density of its magnitude, which is proportional to ``exp(tilt * v)`` on [0, 1].

    Args:
        effects: What is known of the N operators.
        temperature: The temperature, positive; the higher it is, the less far the same evidence
            carries.

    Returns:
        What to add to the logits of the rates, (N,), and to the tilts of the magnitudes, (N,), in
        float64; exactly 0 without evidence, or at an infinite temperature.
    """
    unit = effects.spread * temperature
    if not unit > 0:
        return torch.zeros_like(effects.main), torch.zeros_like(effects.slope)
    main = shrink(effects.main, effects.main_error) / unit
    return -main, -shrink(effects.slope, effects.slope_error) / unit
