"""Kullback-Leibler divergence for dense heads whose classes and background share one softmax."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.dist import get_world_size
from torch import Tensor, nn

from tst_mm.registry import MODELS

from ..ranks import mean_over_ranks


@MODELS.register_module()
class AnchorKLDivergence(nn.Module):
    """Sum over all anchors of ``KL(teacher || student)`` of their classes (SSD, YOLACT).

    The sum is divided by the teacher's foreground, ``max(1, sum (1 - p_background)^2)``, over all
    ranks, as :class:`BinaryKLDivergence` does it.

    Args:
        channels: The number of classes K of an anchor, with the background, which is the last one.
        tau: The temperature, positive; the loss is multiplied by its square. Defaults to 1.
        loss_weight: The factor of the loss. Defaults to 1.
    """

    def __init__(self, channels: int, tau: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not tau > 0:
            raise ValueError(f'tau is {tau!r}; allowed: above 0')
        self.channels = channels
        self.tau = tau
        self.loss_weight = loss_weight

    def forward(self, preds_S: Sequence[Tensor], preds_T: Sequence[Tensor]) -> Tensor:
        """Compare the logits of student and teacher.

        Args:
            preds_S: The student's logits, (N, A * K, H, W) for each feature level with A anchors a
                place.
            preds_T: The teacher's logits, in the same shapes.

        Returns:
            The loss, 0-dim, differentiable in the student's logits.
        """
        divergence, foreground = [], []
        for student, teacher in zip(preds_S, preds_T, strict=True):
            student, teacher = (
                level.float().unflatten(1, (-1, self.channels)) for level in (student, teacher)
            )
            teacher = teacher.detach()
            target = (teacher / self.tau).log_softmax(2)
            divergence.append((target.exp() * (target - (student / self.tau).log_softmax(2))).sum())
            foreground.append((1 - teacher.softmax(2)[:, :, -1]).square().sum())
        (scale,) = mean_over_ranks([torch.stack(foreground).sum()])
        scale = scale.clamp(min=1 / get_world_size())
        return self.loss_weight * self.tau**2 * torch.stack(divergence).sum() / scale
