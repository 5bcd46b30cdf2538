"""Parameters and multiply-accumulates of the new backbones are the literature's."""

import pytest
import torch
from torch import nn

from .zoo import BACKBONES, build_backbone

#: With the linear layer for 100 classes (MobileNetV1: 1000): parameters, multiply-accumulates of
#: convolutions and the linear layer on 32 x 32 pixels (224 x 224), channels and size of the map.
#: Published: ResNets 0.28 M, 40.8 M to 0.86 M, 125.8 M (pytorch-cifar-models); ResNet-110 1.7 M
#: (He et al.); WRN-28-10 36.5 M, -40-4 8.9 M, -40-2 2.2 M, -40-1 0.6 M (Zagoruyko and Komodakis);
#: MobileNetV1 4.2 M, 569 M (Howard et al.); the others are the CRD benchmark's, counted by hand.
LITERATURE = {
    'resnet8x4': (1_233_540, 177_071_104, 256, 8),
    'resnet20': (278_324, 40_818_944, 64, 8),
    'resnet32': (472_756, 69_130_496, 64, 8),
    'resnet32x4': (7_433_860, 1_083_040_768, 256, 8),
    'resnet44': (667_188, 97_442_048, 64, 8),
    'resnet56': (861_620, 125_753_600, 64, 8),
    'resnet110': (1_736_564, 253_155_584, 64, 8),
    'wrn-16-2': (703_284, 101_118_464, 128, 8),
    'wrn-28-10': (36_536_884, 5_243_386_368, 640, 8),
    'wrn-40-1': (569_780, 83_286_272, 64, 8),
    'wrn-40-2': (2_255_156, 327_610_880, 128, 8),
    'wrn-40-4': (8_972_340, 1_298_605_056, 256, 8),
    'vgg8': (3_965_028, 96_192_512, 512, 4),
    'vgg13': (9_462_180, 284_936_192, 512, 4),
    'mobilenet-v2': (812_836, 6_523_648, 1280, 2),
    'shufflenet-v1': (949_258, 38_691_456, 960, 4),
    'shufflenet-v2': (1_355_528, 44_504_448, 1024, 4),
    'mobilenet-v1': (4_231_976, 568_740_352, 1024, 7),
}


@pytest.mark.filterwarnings('ignore:Unnecessary conv bias')
@pytest.mark.parametrize('name', BACKBONES)
def test_parameters_and_macs(name):
    parameters, macs, channels, size = LITERATURE[name]
    model = build_backbone(name)
    model.to('meta')
    counted = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(
                lambda conv, _, out: counted.append(conv.weight[0].numel() * out.numel())
            )
    side, classes = (224, 1000) if name == 'mobilenet-v1' else (32, 100)
    (features,) = model(torch.empty(1, 3, side, side, device='meta'))
    assert features.shape == (1, channels, size, size)
    linear = channels * classes
    assert sum(p.numel() for p in model.parameters()) + linear + classes == parameters
    assert sum(counted) + linear == macs


@pytest.mark.parametrize('blocks', [3, 5, 7, 9, 18])
def test_resnets_by_their_formula(blocks):
    """Stem, three stages of 2 n convolutions with BatchNorm, two shortcuts, the linear layer."""
    convolutions = 2 * blocks * 9 * (16**2 + 32**2 + 64**2) - 9 * (32**2 // 2 + 64**2 // 2)
    norms = 2 * (16 + 2 * blocks * (16 + 32 + 64) + 32 + 64)
    shortcuts = 16 * 32 + 32 * 64
    total = 3 * 9 * 16 + convolutions + norms + shortcuts + 64 * 100 + 100
    assert LITERATURE[f'resnet{6 * blocks + 2}'][0] == total


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ({'type': 'CIFARResNet', 'depth': 18}, 'depth is 18; allowed: 6n \\+ 2'),
        ({'type': 'CIFARWideResNet', 'depth': 18}, 'depth is 18; allowed: 6n \\+ 4'),
        ({'type': 'CIFARWideResNet', 'depth': 16, 'widen_factor': 0}, 'widen_factor is 0'),
        ({'type': 'CIFARVGG', 'depth': 9}, 'depth is 9; .*allowed: 8, 11, 13'),
        ({'type': 'CIFARMobileNetV2', 'widen_factor': 2}, 'widen_factor is 2'),
    ],
)
def test_mistakes_are_named(monkeypatch, config, message):
    monkeypatch.setitem(BACKBONES, 'wrong', config)
    with pytest.raises(ValueError, match=message):
        build_backbone('wrong')


@pytest.mark.filterwarnings('ignore:Unnecessary conv bias')
@pytest.mark.parametrize('name', ['wrn-16-2', 'vgg8', 'mobilenet-v2', 'shufflenet-v1', 'resnet20'])
def test_starts_with_a_signal_that_neither_fades_nor_grows(name):
    model = build_backbone(name)
    model.init_weights()
    (features,) = model(torch.randn(8, 3, 32, 32))
    assert 0.05 < features.std() < 20
    features.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
