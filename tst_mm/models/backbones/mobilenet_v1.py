"""MobileNetV1 for ImageNet."""

from typing import Any

from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import Tensor, nn

from tst_mm.registry import MODELS

#: The channels and stride of each of the 13 depthwise separable convolutions.
_LAYERS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5)
_LAYERS += ((1024, 2), (1024, 1))
_INIT = [
    dict(type='Kaiming', layer=['Conv2d']),
    dict(type='Constant', val=1, layer=['_BatchNorm']),
]


@MODELS.register_module()
class MobileNetV1(BaseBackbone):
    """MobileNet at width 1 (Howard et al., 2017, table 1).

    (B, 3, H, W) -> one feature map (B, 1024, H / 32, W / 32).

    Args:
        init_cfg: The initialisation, as MMEngine takes it. Defaults to Kaiming for convolutions.
    """

    def __init__(self, init_cfg: Any = _INIT) -> None:
        super().__init__(init_cfg)
        norm = dict(norm_cfg=dict(type='BN'))
        self.conv1 = ConvModule(3, 32, 3, stride=2, padding=1, **norm)
        layers, channels = [], 32
        for width, stride in _LAYERS:
            layer = DepthwiseSeparableConvModule(channels, width, 3, stride, padding=1, **norm)
            layers.append(layer)
            channels = width
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute the feature map of images; its shape is in the text of the class."""
        return (self.layers(self.conv1(x)),)
