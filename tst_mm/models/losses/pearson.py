"""Correlation of feature maps, for networks whose features have different scales."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from tst_mm.registry import MODELS

_EPSILON = 1e-8


@MODELS.register_module()
class PearsonFeatureLoss(nn.Module):
    """``1 - r``, where r is the mean over channels of the correlation over images and places.

    It is like MMRazor's ``PKDLoss`` (Cao et al., NeurIPS 2022), with which detectors of one kind
    teach detectors of another, and differs in two ways: the gradient is finite for channels without
    variance and for maps of one place, and the teacher's map is resized to the student's.

    Args:
        loss_weight: The factor of the loss. Defaults to 1.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compare the feature maps of student and teacher.

        Args:
            preds_S: The student's feature map, (N, C, H, W).
            preds_T: The teacher's feature map, (N, C, h, w).

        Returns:
            The loss, 0-dim, in [0, 2] times the weight; differentiable in the student's map.
        """
        preds_S, preds_T = preds_S.float(), preds_T.detach().float()
        if preds_T.shape[2:] != preds_S.shape[2:]:
            preds_T = F.interpolate(
                preds_T, size=preds_S.shape[2:], mode='bilinear', align_corners=False
            )
        gap = _standardised(preds_S) - _standardised(preds_T)
        return self.loss_weight * gap.square().mean() / 2


def _standardised(maps: Tensor) -> Tensor:
    """Give each channel of maps, (N, C, H, W), mean 0 and variance 1."""
    variance, mean = torch.var_mean(maps, dim=(0, 2, 3), correction=0, keepdim=True)
    return (maps - mean) * torch.rsqrt(variance + _EPSILON)
