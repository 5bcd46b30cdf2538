"""Kullback-Leibler divergence per pixel, for segmentation."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from tst_mm.registry import MODELS


@MODELS.register_module()
class PixelKLDivergence(nn.Module):
    """Mean over pixels of ``KL(teacher || student)`` over the classes.

    With ``use_sigmoid`` each class is a two-way distribution, and their divergences are summed.
    MMRazor's ``KLDivergence`` divides by images only and so grows with the resolution. Teacher
    logits of another output stride are resized bilinearly to the student's.

    Args:
        tau: The temperature, positive; the loss is multiplied by its square. Defaults to 1.
        loss_weight: The factor of the loss. Defaults to 1.
        use_sigmoid: Whether classes are independent, as those of heads with one channel are.
            Defaults to False.
    """

    def __init__(
        self, tau: float = 1.0, loss_weight: float = 1.0, use_sigmoid: bool = False
    ) -> None:
        super().__init__()
        if not tau > 0:
            raise ValueError(f'tau is {tau!r}; allowed: above 0')
        self.tau = tau
        self.loss_weight = loss_weight
        self.use_sigmoid = use_sigmoid

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compare the logits of student and teacher.

        Args:
            preds_S: The student's logits, (N, C, H, W).
            preds_T: The teacher's logits, (N, C, h, w).

        Returns:
            The loss, 0-dim, differentiable in the student's logits.
        """
        preds_S, preds_T = preds_S.float(), preds_T.detach().float()
        if preds_T.shape[2:] != preds_S.shape[2:]:
            preds_T = F.interpolate(
                preds_T, size=preds_S.shape[2:], mode='bilinear', align_corners=False
            )
        student, teacher = preds_S / self.tau, preds_T / self.tau
        if self.use_sigmoid:
            student = torch.stack((student, torch.zeros_like(student)), dim=1)
            teacher = torch.stack((teacher, torch.zeros_like(teacher)), dim=1)
        divergence = F.kl_div(
            F.log_softmax(student, dim=1),
            F.log_softmax(teacher, dim=1),
            reduction='sum',
            log_target=True,
        )
        pixels = preds_S.numel() / preds_S.shape[1]
        return self.loss_weight * self.tau**2 * divergence / pixels
