"""Relaxed gates: differentiable in the rate, between closed and open."""

from __future__ import annotations

import torch
from torch import Tensor


def relaxed_gate(logit: Tensor, uniform: Tensor, temperature: float = 0.05) -> Tensor:
    """Relaxed Bernoulli (binary concrete) sample, differentiable in the logit (paper, section 3).

    ``g = sigmoid((log u - log(1 - u) + logit) / temperature)``, so ``dg/dlogit = g (1 - g) /
    temperature``. Rounded it is :func:`tst_mm.augment.hard_gate` of the same noise.

    Args:
        logit: Logit of the rate, broadcastable to ``uniform``. The reference passes the rate
            itself, which confines it to (0.50, 0.73).
        uniform: Noise in (0, 1), any shape.
        temperature: Positive; the smaller, the nearer to 0 or 1.

    Returns:
        Gates in [0, 1] of the broadcast shape.
    """
    return torch.sigmoid((torch.logit(uniform) + logit) / temperature)
