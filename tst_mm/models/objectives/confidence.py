"""Confidence: the probability of the true class, read where a network's loss is computed."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

#: Losses on sigmoid logits in which hard elements count most.
FOCAL_LOSSES = {'FocalLoss', 'QualityFocalLoss'}


class Confidence:
    """While open, watches a classification loss and averages the probability of the true classes.

    Args:
        loss: The loss module on logits, (N, C, ...), that is called with class indices, (N, ...),
            or with soft or multi-hot targets in the shape of the logits; a single channel with a
            sigmoid is the second of two classes. Calls of other forms do not count.
        num_classes: The number of classes. Targets from here on (background, ignored) and negative
            ones do not count.
        bins: The number of bins of the histogram. Defaults to 0, no histogram.

    Attributes:
        value (Tensor): The mean over all calls since it was opened, 0-dim and without gradient; 0
            where nothing counted.
        histogram (Tensor): How often a probability lay in each of equal parts of [0, 1], (bins,);
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
        """The mean probability so far, 0-dim; 0 where nothing counted."""
        return self.mean(self.sums)

    @property
    def sums(self) -> Tensor:
        """The sum of the probabilities and their number, (2,); both can be added up over ranks."""
        return torch.stack([torch.as_tensor(self._total), torch.as_tensor(self._count)])

    @staticmethod
    def mean(sums: Tensor) -> Tensor:
        """The mean probability, 0-dim, from :attr:`sums`, (2,), or from their mean over ranks."""
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
        if len(args) < 2:
            return
        logits, target = args[:2]
        if isinstance(target, tuple):  # quality focal loss has labels and qualities
            target = target[0]
        if not isinstance(logits, Tensor) or not isinstance(target, Tensor) or logits.dim() < 2:
            return
        logits = logits.detach().float()
        one_channel = logits.shape[1] == 1 and self._num_classes == 2 and is_sigmoid(loss)
        if one_channel:
            logits = torch.cat((-logits, logits), 1)
            target = target.squeeze(1) if target.dim() == logits.dim() else target
        probability = logits.sigmoid() if is_sigmoid(loss) else logits.softmax(1)
        if target.shape == logits.shape:
            weight = target.float()
        elif target.shape != logits.shape[:1] + logits.shape[2:]:
            return
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


def confidence_in(distiller: Any, model: nn.Module) -> Confidence | None:
    """A watch over the class loss of a distiller's student or teacher; None without a plain one."""
    watched = distiller.confidence_loss(model)
    return None if watched is None else Confidence(*watched)


def is_sigmoid(loss: nn.Module) -> bool:
    """Whether a loss on logits treats its classes as independent."""
    if type(loss).__name__ in FOCAL_LOSSES:
        return True
    inner = getattr(loss, 'ce', loss)
    return any(getattr(inner, key, False) for key in ('use_sigmoid', 'use_mask'))
