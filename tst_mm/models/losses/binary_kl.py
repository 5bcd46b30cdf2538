"""Binary Kullback-Leibler divergence, for heads whose classes are independent sigmoids."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.dist import get_world_size
from torch import Tensor, nn

from tst_mm.registry import MODELS

from ..ranks import mean_over_ranks

#: Probabilities are kept at least this far from 0 and 1.
_EPSILON = 1e-6


@MODELS.register_module()
class BinaryKLDivergence(nn.Module):
    """Sum over all anchors and classes of ``KL(teacher || student)`` of two-way distributions.

    The sum is divided by the teacher's foreground, ``max(1, sum p_t^2)``. Detection losses divide
    by the number of positives that labels give; this is their number without labels. In a
    distributed run it is the foreground of all ranks over their number, so the mean over ranks is
    the loss of one process on the whole batch. This deviates from the reference, whose softmax
    over all channels makes anchors and classes compete that are independent.

    Args:
        tau: The temperature, positive; the loss is multiplied by its square. Defaults to 1.
        loss_weight: The factor of the loss. Defaults to 1.
        activated: Whether the inputs are probabilities instead of logits, as TOOD's head gives
            them. Defaults to False.
    """

    def __init__(self, tau: float = 1.0, loss_weight: float = 1.0, activated: bool = False) -> None:
        super().__init__()
        if not tau > 0:
            raise ValueError(f'tau is {tau!r}; allowed: above 0')
        self.tau = tau
        self.loss_weight = loss_weight
        self.activated = activated

    def forward(
        self, preds_S: Tensor | Sequence[Tensor], preds_T: Tensor | Sequence[Tensor]
    ) -> Tensor:
        """Compare the logits of student and teacher.

        Args:
            preds_S: The student's logits in any shape, or one tensor for each feature level.
            preds_T: The teacher's logits, in the same shapes.

        Returns:
            The loss, 0-dim, differentiable in the student's logits.

        Raises:
            ValueError: The shapes differ.
        """
        if isinstance(preds_S, Tensor):
            preds_S, preds_T = [preds_S], [preds_T]
        shapes = [[tuple(level.shape) for level in levels] for levels in (preds_S, preds_T)]
        if shapes[0] != shapes[1]:
            raise ValueError(f'student logits are {shapes[0]}, teacher logits {shapes[1]}')
        divergence, foreground = [], []
        for student, teacher in zip(preds_S, preds_T, strict=True):
            student, teacher = student.float(), teacher.detach().float()
            if self.activated:
                student, teacher = student.logit(_EPSILON), teacher.logit(_EPSILON)
            student = student / self.tau
            target = teacher / self.tau
            # Taken element by element, as the sums of cross entropy and of entropy would cancel.
            gap = target.sigmoid() * (target - student)
            gap = gap + F.softplus(student) - F.softplus(target)
            divergence.append(gap.sum())
            foreground.append(teacher.sigmoid().square().sum())
        (scale,) = mean_over_ranks([torch.stack(foreground).sum()])
        scale = scale.clamp(min=1 / get_world_size())
        return self.loss_weight * self.tau**2 * torch.stack(divergence).sum() / scale
