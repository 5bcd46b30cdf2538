"""Relaxed gates: differentiable in the rate, between closed and open."""

from __future__ import annotations

import torch
from torch import Tensor


def relaxed_gate(logit: Tensor, uniform: Tensor, temperature: float = 0.05) -> Tensor:
    """Draw a relaxed Bernoulli (binary concrete) sample, differentiable in the logit (section 3).

    ``g = sigmoid((log u - log(1 - u) + logit) / temperature)``, so ``dg/dlogit = g (1 - g) /
    temperature``. Rounded it is :func:`tst_mm.augment.hard_gate` of the same noise.

    Args:
        logit: The logit of the rate, broadcastable to ``uniform``. The reference passes the rate
            itself, which confines it to (0.50, 0.73).
        uniform: Uniform noise in (0, 1), of any shape.
        temperature: The temperature, positive; the smaller it is, the nearer are gates to 0 or 1.
            Defaults to 0.05.

    Returns:
        The gates, in [0, 1], in the broadcast shape.
    """
    return torch.sigmoid((torch.logit(uniform) + logit) / temperature)
