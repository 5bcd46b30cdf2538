"""The networks of the paper's pairs, and what the literature says of them."""

from __future__ import annotations

from typing import Any

from torch import nn

from tst_mm.registry import MODELS

_X4 = {'stem_channels': 32, 'base_channels': 64}
BACKBONES: dict[str, dict[str, Any]] = {
    'resnet8x4': {'type': 'CIFARResNet', 'depth': 8, **_X4},
    'resnet20': {'type': 'CIFARResNet', 'depth': 20},
    'resnet32': {'type': 'CIFARResNet', 'depth': 32},
    'resnet32x4': {'type': 'CIFARResNet', 'depth': 32, **_X4},
    'resnet44': {'type': 'CIFARResNet', 'depth': 44},
    'resnet56': {'type': 'CIFARResNet', 'depth': 56},
    'resnet110': {'type': 'CIFARResNet', 'depth': 110},
    'wrn-16-2': {'type': 'CIFARWideResNet', 'depth': 16, 'widen_factor': 2},
    'wrn-28-10': {'type': 'CIFARWideResNet', 'depth': 28, 'widen_factor': 10},
    'wrn-40-1': {'type': 'CIFARWideResNet', 'depth': 40, 'widen_factor': 1},
    'wrn-40-2': {'type': 'CIFARWideResNet', 'depth': 40, 'widen_factor': 2},
    'wrn-40-4': {'type': 'CIFARWideResNet', 'depth': 40, 'widen_factor': 4},
    'vgg8': {'type': 'CIFARVGG', 'depth': 8},
    'vgg13': {'type': 'CIFARVGG', 'depth': 13},
    'mobilenet-v2': {'type': 'CIFARMobileNetV2'},
    'shufflenet-v1': {'type': 'CIFARShuffleNetV1'},
    'shufflenet-v2': {'type': 'CIFARShuffleNetV2'},
    'mobilenet-v1': {'type': 'MobileNetV1'},
}


def build_backbone(name: str) -> nn.Module:
    config = BACKBONES[name]
    return MODELS.build({**config, 'type': f'tst_mm.{config["type"]}'})


def build_classifier(backbone: dict[str, Any], channels: int, classes: int = 100) -> nn.Module:
    """An mmpretrain classifier in evaluation mode, BatchNorm statistics away from 0 and 1."""
    scope = 'mmpretrain' if backbone['type'] in ('ResNet', 'MobileNetV2') else 'tst_mm'
    model = MODELS.build(
        {
            'type': 'mmpretrain.ImageClassifier',
            'backbone': {**backbone, 'type': f'{scope}.{backbone["type"]}'},
            'neck': {'type': 'mmpretrain.GlobalAveragePooling'},
            'head': {
                'type': 'mmpretrain.LinearClsHead',
                'num_classes': classes,
                'in_channels': channels,
            },
        }
    )
    model.eval()
    return model
