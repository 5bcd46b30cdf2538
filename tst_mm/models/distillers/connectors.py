"""What a recorded output passes before it is compared, beside MMRazor's connectors."""

from __future__ import annotations

from torch import Tensor, nn

from tst_mm.registry import MODELS


@MODELS.register_module()
class ScaleConnector(nn.Module):
    """Multiplies by a constant, as heads of cosines (ArcFace) do before their softmax.

    Args:
        factor: The constant.
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, feature: Tensor) -> Tensor:
        """Any shape in, the same out."""
        return feature * self.factor
