"""ShuffleNetV1 for CIFAR."""

from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.models.utils import channel_shuffle
from torch import Tensor, nn

from tst_mm.registry import MODELS

#: The channels behind each stage and its units, for three groups (Zhang et al., table 1).
_STAGES = ((240, 4), (480, 8), (960, 4))


@MODELS.register_module()
class CIFARShuffleNetV1(BaseBackbone):
    """ShuffleNetV1 with three groups (Zhang et al., 2018), as in the CRD benchmark.

    The stem is a 1x1 convolution that keeps the resolution. Units differ from mmpretrain's: the
    shuffle comes before the depthwise convolution, which has an activation, and the bottleneck of
    a stage's first unit is a quarter of what it adds.

    (B, 3, H, W) -> one feature map (B, 960, H / 8, W / 8).

    Args:
        init_cfg: The initialisation, as MMEngine takes it. Defaults to None, mmcv's Kaiming for
            convolutions.
    """

    def __init__(self, init_cfg: Any = None) -> None:
        super().__init__(init_cfg)
        channels = 24
        self.conv1 = ConvModule(3, channels, 1, norm_cfg=dict(type='BN'))
        for i, (width, units) in enumerate(_STAGES):
            first = 1 if i == 0 else 3  # 24 channels are too few for groups
            stage = [ShuffleUnit(channels, width, stride=2, first_groups=first)]
            stage += [ShuffleUnit(width, width) for _ in range(units - 1)]
            self.add_module(f'layer{i + 1}', nn.Sequential(*stage))
            channels = width

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute the feature map of images; its shape is in the text of the class."""
        return (self.layer3(self.layer2(self.layer1(self.conv1(x)))),)


class ShuffleUnit(BaseModule):
    """Grouped 1x1, shuffle, depthwise 3x3, grouped 1x1; beside it the input, or its average.

    Args:
        in_channels: The number of channels of the input.
        out_channels: The number of channels of the output; with stride 2 those of the input are
            among them.
        stride: The stride, 1 or 2. Defaults to 1.
        groups: The groups of the 1x1 convolutions. Defaults to 3.
        first_groups: The groups of the first 1x1 convolution. Defaults to ``groups``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        groups: int = 3,
        first_groups: int | None = None,
    ) -> None:
        super().__init__()
        self.groups = first_groups or groups
        self.stride = stride
        new = out_channels - in_channels if stride == 2 else out_channels
        middle = new // 4
        norm = dict(norm_cfg=dict(type='BN'))
        self.compress = ConvModule(in_channels, middle, 1, groups=self.groups, **norm)
        self.depthwise = ConvModule(middle, middle, 3, stride, padding=1, groups=middle, **norm)
        self.expand = ConvModule(middle, new, 1, groups=groups, act_cfg=None, **norm)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the unit, (B, in, H, W) -> (B, out, H / stride, W / stride)."""
        new = channel_shuffle(self.compress(x), self.groups)
        new = self.expand(self.depthwise(new))
        if self.stride == 1:
            return F.relu(x + new, inplace=True)
        old = F.avg_pool2d(x, 3, stride=2, padding=1)
        return F.relu(torch.cat([new, old], dim=1), inplace=True)
