"""VGG-8 and VGG-13 with batch normalisation for CIFAR."""

from typing import Any

from mmpretrain.models.backbones import VGG
from torch import nn

from tst_mm.registry import MODELS
from tst_mm.utils import closest


@MODELS.register_module()
class CIFARVGG(VGG):
    """mmpretrain's VGG without the last two poolings, as in the CRD benchmark.

    An image of 32 pixels is then pooled three times, so that the last stage works on 4x4 places,
    and an average and one linear layer follow.

    (B, 3, H, W) -> one feature map (B, 512, H / 8, W / 8).

    Args:
        depth: The number of layers: 8, 11, 13, 16 or 19.
        **kwargs: Further arguments of mmpretrain's ``VGG``; ``norm_cfg`` defaults to batch
            normalisation.

    Raises:
        ValueError: The depth is another number.
    """

    arch_settings = {8: (1, 1, 1, 1, 1), **VGG.arch_settings}

    def __init__(self, depth: int, **kwargs: Any) -> None:
        if depth not in self.arch_settings:
            raise ValueError(f'depth is {depth!r}; {closest(str(depth), self.arch_settings)}')
        super().__init__(depth, **{'norm_cfg': dict(type='BN'), **kwargs})
        for _, end in self.range_sub_modules[-2:]:
            self.features[end - 1] = nn.Identity()
