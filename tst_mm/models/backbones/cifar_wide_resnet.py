"""Wide residual networks: WRN-16-2, -28-10, -40-1, -40-2, -40-4."""

from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import Tensor, nn

from tst_mm.registry import MODELS

_INIT = [
    dict(type='Kaiming', layer=['Conv2d']),
    dict(type='Constant', val=1, layer=['_BatchNorm']),
]


@MODELS.register_module()
class CIFARWideResNet(BaseBackbone):
    """Wide residual network for CIFAR (Zagoruyko and Komodakis, 2016), without dropout.

    Three stages of pre-activation blocks with 16, 32 and 64 times ``widen_factor`` channels.

    (B, 3, H, W) -> one feature map (B, 64 ``widen_factor``, H / 4, W / 4).

    Args:
        depth: The number of layers, 6n + 4: 16, 28, 40, ...
        widen_factor: The factor of the stages' numbers of channels, at least 1. Defaults to 1.
        init_cfg: The initialisation, as MMEngine takes it. Defaults to Kaiming for convolutions.

    Raises:
        ValueError: A value is outside what is allowed.

    Example:
        >>> wrn_40_2 = dict(type='tst_mm.CIFARWideResNet', depth=40, widen_factor=2)
    """

    def __init__(self, depth: int, widen_factor: int = 1, init_cfg: Any = _INIT) -> None:
        super().__init__(init_cfg)
        blocks, rest = divmod(depth - 4, 6)
        if rest or blocks < 1:
            raise ValueError(f'depth is {depth!r}; allowed: 6n + 4 (10, 16, 22, 28, 34, 40, ...)')
        if type(widen_factor) is not int or widen_factor < 1:
            raise ValueError(f'widen_factor is {widen_factor!r}; allowed: whole numbers from 1')
        channels = 16
        self.conv1 = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        for i in range(3):
            width, stride = 16 * 2**i * widen_factor, 1 if i == 0 else 2
            stage = [PreActBlock(channels, width, stride)]
            stage += [PreActBlock(width, width, 1) for _ in range(blocks - 1)]
            self.add_module(f'layer{i + 1}', nn.Sequential(*stage))
            channels = width
        self.bn1 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute the feature map of images; its shape is in the text of the class."""
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return (F.relu(self.bn1(x), inplace=True),)


class PreActBlock(BaseModule):
    """A residual block with normalisation and activation before each of two 3x3 convolutions.

    Where the number of channels changes, the shortcut is a 1x1 convolution of the activated input.

    Args:
        in_channels: The number of channels of the input.
        out_channels: The number of channels of the output.
        stride: The stride of the first convolution and of the shortcut.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.shortcut = (
            None
            if in_channels == out_channels
            else nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block, (B, in, H, W) -> (B, out, H / stride, W / stride)."""
        active = F.relu(self.bn1(x), inplace=True)
        out = self.conv2(F.relu(self.bn2(self.conv1(active)), inplace=True))
        return out + (x if self.shortcut is None else self.shortcut(active))
