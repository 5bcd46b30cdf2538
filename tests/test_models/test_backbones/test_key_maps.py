"""Teachers from elsewhere compute the same under their new names."""

import pytest
import torch

from tst_mm.models.backbones.key_maps import convert_weights

from . import layouts
from .zoo import BACKBONES, build_classifier

#: Our backbone, its channels, the network and the weights in the benchmark's layout.
BENCHMARK = {
    'resnet8x4': (BACKBONES['resnet8x4'], 256, layouts.resnet8x4, layouts.resnet8x4_weights),
    'wrn-10-2': (
        {'type': 'CIFARWideResNet', 'depth': 10, 'widen_factor': 2},
        128,
        layouts.wrn_10_2,
        layouts.wrn_10_2_weights,
    ),
    'vgg13': (BACKBONES['vgg13'], 512, layouts.vgg13, layouts.vgg13_weights),
    'mobilenet-v2': (
        BACKBONES['mobilenet-v2'],
        1280,
        layouts.mobilenet_v2,
        layouts.mobilenet_v2_weights,
    ),
    'shufflenet-v1': (
        BACKBONES['shufflenet-v1'],
        960,
        layouts.shufflenet_v1,
        layouts.shufflenet_v1_weights,
    ),
    'shufflenet-v2': (
        BACKBONES['shufflenet-v2'],
        1024,
        layouts.shufflenet_v2,
        layouts.shufflenet_v2_weights,
    ),
}

pytestmark = pytest.mark.filterwarnings('ignore:Unnecessary conv bias')


def assert_same_logits(model, expected, images):
    with torch.no_grad():
        found = model.head(model.extract_feat(images))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize('name', BENCHMARK)
def test_a_checkpoint_of_the_benchmark_computes_the_same(name):
    backbone, channels, forward, make = BENCHMARK[name]
    weights, model = make(), build_classifier(backbone, channels)
    images = torch.randn(2, 3, 32, 32)
    converted = convert_weights({'epoch': 240, 'model': weights, 'best_acc': 79.4}, model)
    assert len(converted) == len(weights)
    model.load_state_dict(converted, strict=True)
    assert_same_logits(model, forward(weights, images), images)


@pytest.mark.parametrize(
    ('name', 'backbone', 'channels'),
    [
        ('resnet18', {'type': 'ResNet', 'depth': 18}, 512),
        ('resnet50', {'type': 'ResNet', 'depth': 50}, 2048),
        ('mobilenet_v2', {'type': 'MobileNetV2'}, 1280),
    ],
)
def test_a_torchvision_teacher_computes_the_same(name, backbone, channels):
    from torchvision import models

    theirs = getattr(models, name)(num_classes=7).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    model = build_classifier(backbone, channels, classes=7)
    weights = {f'module.{key}': value for key, value in theirs.state_dict().items()}
    model.load_state_dict(convert_weights(weights, model), strict=True)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = theirs(images)
    assert_same_logits(model, expected, images)


def test_files_of_old_torch_lack_counters():
    weights = layouts.resnet8x4_weights()
    old = {key: value for key, value in weights.items() if not key.endswith('tracked')}
    converted = convert_weights({'state_dict': old}, build_classifier(BACKBONES['resnet8x4'], 256))
    assert len(converted) == len(old)


@pytest.mark.parametrize(
    ('backbone', 'channels', 'change', 'message'),
    [
        (BACKBONES['resnet8x4'], 256, {'fc.bias': torch.ones(10)}, r'head.fc.bias is \(10,\) in'),
        (BACKBONES['resnet8x4'], 256, {'fc.bias': None}, "lack 'head.fc.bias' of CIFARResNet"),
        (BACKBONES['resnet8x4'], 256, {'layer4.a': torch.ones(1)}, "have 'backbone.layer4.a', whi"),
        (BACKBONES['resnet32x4'], 256, {}, "lack 'backbone.layer1.1.conv1.weight'"),
        (BACKBONES['wrn-16-2'], 128, {}, 'which CIFARWideResNet has not'),
        (BACKBONES['mobilenet-v1'], 1024, {}, 'for the backbone MobileNetV1; did you mean'),
    ],
)
def test_weights_that_do_not_fit_are_named(backbone, channels, change, message):
    weights = {**layouts.resnet8x4_weights(), **change}
    weights = {key: value for key, value in weights.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        convert_weights(weights, build_classifier(backbone, channels))


def test_a_checkpoint_without_weights():
    with pytest.raises(ValueError, match='has no weights, but epoch, optimizer; allowed'):
        convert_weights(
            {'epoch': 3, 'optimizer': {}}, build_classifier(BACKBONES['resnet8x4'], 256)
        )
