"""ShuffleNetV2 for CIFAR."""

from typing import Any

from mmcv.cnn import ConvModule
from mmpretrain.models.backbones import ShuffleNetV2
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import nn

from tst_mm.registry import MODELS


@MODELS.register_module()
class CIFARShuffleNetV2(ShuffleNetV2):
    """mmpretrain's ShuffleNetV2 (Ma et al., 2018) with a stem that keeps the resolution.

    The stem is a 1x1 convolution without pooling, as in the CRD benchmark.

    (B, 3, H, W) -> one feature map (B, 1024, H / 8, W / 8) at width 1.

    Args:
        **kwargs: The arguments of mmpretrain's ``ShuffleNetV2``; ``widen_factor`` defaults to 1.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv1 = ConvModule(
            3, 24, 1, conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg
        )
        self.maxpool = nn.Identity()

    def init_weights(self) -> None:
        """Initialise as ``init_cfg`` says, or as mmcv does; mmpretrain's way is for ImageNet."""
        BaseBackbone.init_weights(self)
