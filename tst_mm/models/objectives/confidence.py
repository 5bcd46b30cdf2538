"""Confidence: the probability a network gives to what is true, read where its loss is computed."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

#: Losses on sigmoid logits that count hard elements only.
FOCAL_LOSSES = {'FocalLoss', 'QualityFocalLoss'}


class Confidence:
    """While open, watches a classification loss and averages the probability of the true classes.

    Args:
        loss: Loss module on logits (N, C, ...), called with class indices (N, ...) or with soft or
            multi-hot targets of the logits' shape.
        num_classes: Indices from here on (background, ignored) do not count; negative ones neither.
        bins: Of the histogram; 0 (default) makes none.

    Attributes:
        value (Tensor): 0-dim mean over all calls since it was opened, without gradient; 0 when
            nothing counted.
        histogram (Tensor): (bins,) how often a probability lay in each of equal parts of [0, 1];
            float64, so that all pixels of many images count.
    """

    def __init__(self, loss: nn.Module, num_classes: int, bins: int = 0) -> None:
        self._loss = loss
        self._num_classes = num_classes
        self._total: Tensor | float = 0.0
        self._count: Tensor | float = 0.0
        self.histogram = torch.zeros(bins, dtype=torch.float64)

    @property
    def value(self) -> Tensor:
        """See the class."""
        return self.mean(self.sums)

    @property
    def sums(self) -> Tensor:
        """(2,) sum of the probabilities and how many they are; ranks can add theirs up."""
        return torch.stack([torch.as_tensor(self._total), torch.as_tensor(self._count)])

    @staticmethod
    def mean(sums: Tensor) -> Tensor:
        """(2,) :attr:`sums`, or their mean over ranks -> 0-dim mean probability."""
        return sums[0] / sums[1].clamp(min=torch.finfo(sums.dtype).eps)

    def __enter__(self) -> Confidence:
        self._handle = self._loss.register_forward_pre_hook(self._watch)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handle.remove()

    @torch.no_grad()
    def _watch(self, loss: nn.Module, args: tuple[Any, ...]) -> None:
        logits, target = args[0].detach().float(), args[1]
        if isinstance(target, tuple):  # quality focal loss: labels and qualities
            target = target[0]
        probability = logits.sigmoid() if is_sigmoid(loss) else logits.softmax(1)
        if target.shape == logits.shape:
            weight = target.float()
        else:
            target = target.long()
            known = (target >= 0) & (target < self._num_classes)
            index = target.clamp(0, logits.shape[1] - 1).unsqueeze(1)
            weight = known.float()
            probability = probability.gather(1, index).squeeze(1)
        self._total = self._total + (probability * weight).sum()
        self._count = self._count + weight.sum()
        if bins := len(self.histogram):
            part = (probability * bins).long().clamp_(0, bins - 1).flatten()
            self.histogram = self.histogram.to(part.device)
            self.histogram.scatter_add_(0, part, weight.flatten().double())


def is_sigmoid(loss: nn.Module) -> bool:
    """Whether a loss on logits treats its classes as independent."""
    if type(loss).__name__ in FOCAL_LOSSES:
        return True
    inner = getattr(loss, 'ce', loss)
    return any(getattr(inner, key, False) for key in ('use_sigmoid', 'use_mask'))
