"""What the tests of models share: tiny real mmpretrain classifiers, batches, snapshots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from tst_mm.registry import MODELS

CLASSES = 4
MEAN, STD = [120.0, 115.0, 100.0], [60.0, 57.0, 55.0]
CROSS_ENTROPY = {'type': 'mmpretrain.CrossEntropyLoss'}


def normalisation(
    mean: list[float] = MEAN, std: list[float] = STD, to_rgb: bool = True
) -> dict[str, Any]:
    return {'type': 'mmpretrain.ClsDataPreprocessor', 'mean': mean, 'std': std, 'to_rgb': to_rgb}


#: A teacher's that differs from the default in everything.
OTHER_NORMALISATION = normalisation([127.5] * 3, [127.5] * 3, to_rgb=False)


def classifier(
    width: int = 8,
    classes: int = CLASSES,
    loss: Mapping[str, Any] = CROSS_ENTROPY,
    preprocessor: Mapping[str, Any] | None = None,
    head: Mapping[str, Any] | None = None,
    **backbone: Any,
) -> dict[str, Any]:
    """Config of a ResNet-18 for 32 x 32 images with two narrow stages."""
    return {
        'type': 'mmpretrain.ImageClassifier',
        'data_preprocessor': dict(preprocessor or normalisation()),
        'backbone': {
            'type': 'mmpretrain.ResNet_CIFAR',
            'depth': 18,
            'stem_channels': width,
            'base_channels': width,
            'num_stages': 2,
            'strides': (2, 2),
            'dilations': (1, 1),
            'out_indices': (1,),
            **backbone,
        },
        'neck': {'type': 'mmpretrain.GlobalAveragePooling'},
        'head': {
            'type': 'mmpretrain.LinearClsHead',
            'num_classes': classes,
            'in_channels': 2 * width,
            'loss': dict(loss),
            **(head or {}),
        },
    }


def noisy_classifier() -> dict[str, Any]:
    """A student with everything that draws noise or updates itself, and a frozen stage."""
    head = {
        'type': 'mmpretrain.StackedLinearClsHead',
        'mid_channels': [16],
        'dropout_rate': 0.5,
        'norm_cfg': {'type': 'BN1d'},
    }
    return classifier(head=head, drop_path_rate=0.4, frozen_stages=1, zero_init_residual=False)


def vision_transformer(drop: float = 0.0) -> dict[str, Any]:
    """A one-layer ViT, whose attention has dropout of its own."""
    config = classifier()
    config.pop('neck')
    config['backbone'] = {
        'type': 'mmpretrain.VisionTransformer',
        'arch': {'embed_dims': 16, 'num_layers': 2, 'num_heads': 2, 'feedforward_channels': 32},
        'img_size': 32,
        'patch_size': 8,
        'drop_path_rate': drop,
        'layer_cfgs': {'attn_drop_rate': drop},
    }
    config['head'] = {
        'type': 'mmpretrain.VisionTransformerClsHead',
        'num_classes': CLASSES,
        'in_channels': 16,
        'loss': dict(CROSS_ENTROPY),
    }
    return config


def build_loss(kind: str, **options: Any) -> nn.Module:
    """A loss by the name that configs use, for example ``'mmdet.L1Loss'``."""
    return MODELS.build({'type': kind, **options})


def distiller(
    student: Any = None,
    teacher: Mapping[str, Any] | None = None,
    augmenter: Mapping[str, Any] | None = {},  # noqa: B006  (never changed)
    **options: Any,
) -> nn.Module:
    """A ClassificationDistiller in training mode; ``augmenter=None`` is plain distillation."""
    model = MODELS.build(
        {
            'type': 'tst_mm.ClassificationDistiller',
            'student': student or classifier(),
            'teacher': teacher or {'model': classifier(width=12), 'checkpoint': 'random'},
            'augmenter': None
            if augmenter is None
            else {'type': 'tst_mm.LearnedAugmenter', **augmenter},
            **options,
        }
    )
    return model.train()


def noisy_distiller(
    make: Callable[[], dict[str, Any]] = noisy_classifier, **options: Any
) -> nn.Module:
    """Student and teacher have everything that draws noise or updates itself."""
    return distiller(make(), {'model': make(), 'checkpoint': 'random'}, **options)


def batch(count: int = 6, size: int = 32, classes: int = CLASSES, seed: int = 0) -> dict[str, list]:
    """What a loader gives: uint8 images and samples with a class label."""
    from mmpretrain.structures import DataSample

    generator = torch.Generator().manual_seed(seed)
    shape = (3, size, size)
    images = [
        torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8) for _ in range(count)
    ]
    return {
        'inputs': images,
        'data_samples': [DataSample().set_gt_label(i % classes) for i in range(count)],
    }


def policy_optimizer(model: nn.Module, lr: float = 1.0, **options: Any) -> OptimWrapper:
    return OptimWrapper(torch.optim.SGD(model.augmenter.policy.parameters(), lr=lr, **options))


def student_optimizer(model: nn.Module, **options: Any) -> OptimWrapper:
    """As a careless user would: all parameters of the model, with weight decay and momentum."""
    options = {'lr': 0.1, 'momentum': 0.9, 'weight_decay': 0.1, **options}
    return OptimWrapper(torch.optim.SGD(model.parameters(), **options))


def policy_of(model: nn.Module) -> Tensor:
    """The 25 scalars of the policy, a copy."""
    return torch.cat([p.detach().clone() for p in model.augmenter.policy.parameters()])


def snapshot(model: nn.Module) -> dict[str, Any]:
    """All tensors and flags of a module, to compare with :func:`assert_same`."""
    return {
        'tensors': deepcopy({**dict(model.named_parameters()), **dict(model.named_buffers())}),
        'training': {name: module.training for name, module in model.named_modules()},
        'requires_grad': {name: p.requires_grad for name, p in model.named_parameters()},
        'gradients': {name: p.grad for name, p in model.named_parameters()},
    }


def assert_same(model: nn.Module, before: dict[str, Any]) -> None:
    """Everything is as it was, tensors bit for bit."""
    after = snapshot(model)
    assert after['tensors'].keys() == before['tensors'].keys()
    for name, tensor in after['tensors'].items():
        assert torch.equal(tensor, before['tensors'][name]), name
    for kind in ('training', 'requires_grad', 'gradients'):
        assert after[kind] == before[kind], kind
