"""ResNet-20, -32, -44, -56, -110 and the wide ResNet-8x4 and -32x4 for CIFAR."""

from typing import Any

from mmpretrain.models.backbones import ResNet_CIFAR
from mmpretrain.models.backbones.resnet import BasicBlock

from tst_mm.registry import MODELS


@MODELS.register_module()
class CIFARResNet(ResNet_CIFAR):
    """ResNet with three stages of basic blocks (He et al., 2016, section 4.2).

    mmpretrain's ``ResNet_CIFAR`` is the ImageNet network without its first pooling; this is the
    slim family of the paper. Where a block changes the shape, its shortcut is a 1x1 convolution,
    as in the CRD benchmark (He et al. pad with zeros).

    (B, 3, H, W) -> one feature map (B, 4 ``base_channels``, H / 4, W / 4).

    Args:
        depth: The number of layers, 6n + 2, from 8 to 110.
        stem_channels: The channels of the first convolution; "x4" networks have 32. Defaults to
            16.
        base_channels: The channels of the first stage; the others have 2 and 4 times as many. "x4"
            networks have 64. Defaults to 16.
        zero_init_residual: Whether blocks start as the identity. Defaults to False.
        **kwargs: Further arguments of mmpretrain's ``ResNet_CIFAR``.

    Raises:
        ValueError: The depth is not of that form.

    Example:
        >>> resnet8x4 = dict(
        ...     type='tst_mm.CIFARResNet', depth=8, stem_channels=32, base_channels=64)
    """

    arch_settings = {6 * n + 2: (BasicBlock, (n, n, n)) for n in range(1, 19)}

    def __init__(
        self,
        depth: int,
        stem_channels: int = 16,
        base_channels: int = 16,
        zero_init_residual: bool = False,
        **kwargs: Any,
    ) -> None:
        if depth not in self.arch_settings:
            raise ValueError(f'depth is {depth!r}; allowed: 6n + 2 (8, 14, 20, ..., 110)')
        stages = dict(num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1), out_indices=(2,))
        super().__init__(
            depth,
            stem_channels=stem_channels,
            base_channels=base_channels,
            zero_init_residual=zero_init_residual,
            **{**stages, **kwargs},
        )
