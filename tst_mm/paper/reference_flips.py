"""Flips as the paper's code has them, for comparison; those of tst_mm are in :mod:`.flip`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from .flip import BOX_LOSSES, FOCAL_LOSSES, LOGIT_LOSSES, flip_focal_elements, flip_logits


def _negate(loss: nn.Module, forward: Callable, pred: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Negate a box loss, which is unbounded below where the loss is unbounded above."""
    return -forward(pred, *args, **kwargs)


def _mean_over_classes(
    loss: nn.Module, forward: Callable, pred: Tensor, *args: Any, **kwargs: Any
) -> Tensor:
    """Average a softmax loss of maps over classes too: too small by the number of classes."""
    value = flip_logits(loss, forward, pred, *args, **kwargs)
    return value / pred.shape[1] if pred.dim() == 4 else value


def _mean_over_elements(
    loss: nn.Module, forward: Callable, pred: Tensor, target: Any, *args: Any, **kwargs: Any
) -> Tensor:
    """Average a focal loss over all anchors and classes, so that positives nearly vanish."""
    value, _ = flip_focal_elements(loss, forward, pred, target)
    return value.mean()


#: The flips of box losses, by class name.
NEGATED_BOXES = dict.fromkeys(BOX_LOSSES, _negate)
#: The flips of classification losses, by class name.
ELEMENT_MEANS = {
    **dict.fromkeys(LOGIT_LOSSES, _mean_over_classes),
    **dict.fromkeys(FOCAL_LOSSES, _mean_over_elements),
}
