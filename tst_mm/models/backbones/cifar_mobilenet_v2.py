"""MobileNetV2 for CIFAR; at half width the student of the CRD benchmark."""

from typing import Any

from mmcv.cnn import ConvModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.models.backbones.mobilenet_v2 import InvertedResidual
from torch import Tensor, nn

from tst_mm.registry import MODELS

#: The expansion, channels at width 1, blocks and stride of the first block of each stage.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_INIT = [
    dict(type='Kaiming', layer=['Conv2d']),
    dict(type='Constant', val=1, layer=['_BatchNorm']),
]


@MODELS.register_module()
class CIFARMobileNetV2(BaseBackbone):
    """MobileNetV2 (Sandler et al., 2018) with one stride less, as in the CRD benchmark.

    Beside the stride it differs from mmpretrain's: widths are rounded down, not to multiples of
    8; the activation is ReLU; the first stage too has a 1x1 convolution before its depthwise one.

    (B, 3, H, W) -> one feature map (B, 1280, H / 16, W / 16).

    Args:
        widen_factor: The factor of all numbers of channels but the last, in (0, 1]. Defaults to
            0.5.
        init_cfg: The initialisation, as MMEngine takes it. Defaults to Kaiming for convolutions.

    Raises:
        ValueError: The factor is outside of (0, 1].
    """

    def __init__(self, widen_factor: float = 0.5, init_cfg: Any = _INIT) -> None:
        super().__init__(init_cfg)
        if not 0 < widen_factor <= 1:
            raise ValueError(f'widen_factor is {widen_factor!r}; allowed: above 0, at most 1')
        options = dict(norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))
        channels = int(32 * widen_factor)
        self.conv1 = ConvModule(3, channels, 3, stride=2, padding=1, **options)
        for i, (expand, width, blocks, stride) in enumerate(_STAGES):
            stage: list[nn.Module] = []
            if expand == 1:  # mmpretrain's block would leave the 1x1 convolution out
                stage.append(ConvModule(channels, channels, 1, **options))
            for block in range(blocks):
                out = int(width * widen_factor)
                step = stride if block == 0 else 1
                stage.append(InvertedResidual(channels, out, step, expand, **options))
                channels = out
            self.add_module(f'layer{i + 1}', nn.Sequential(*stage))
        self.conv2 = ConvModule(channels, 1280, 1, **options)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute the feature map of images; its shape is in the text of the class."""
        x = self.conv1(x)
        for i in range(len(_STAGES)):
            x = getattr(self, f'layer{i + 1}')(x)
        return (self.conv2(x),)
