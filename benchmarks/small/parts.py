"""What small trainings in memory are made of: images, networks, losses, rivals' augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.datasets.idx import read_idx
from tst_mm.models.backbones import CIFARResNet
from tst_mm.paper import PaperAugmenter

#: Temperature of the distillation.
TAU = 4.0
#: The operators of RandAugment and TrivialAugment: this project's less Invert and Cutout.
OPERATORS = [name for name in DEFAULT_OPERATORS if name not in ('Invert', 'Cutout')]
#: The ranges of TrivialAugment.
WIDE = {
    **dict.fromkeys(('Brightness', 'Color', 'Contrast', 'Sharpness', 'ShearX', 'ShearY'), 0.99),
    'Rotate': 135.0,
    'Posterize': 2.0,
}


class _Residual(CIFARResNet):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images)[0]


def network(width: int, channels: int, classes: int, depth: int | None = None) -> nn.Module:
    """Four convolutions and a linear layer, or a ResNet of CIFAR where it has a depth."""
    layers: list[nn.Module] = []
    if depth:
        layers, channels = [_Residual(depth, in_channels=channels)], 64
    else:
        for out, stride in ((width, 1), (2 * width, 2), (4 * width, 2), (4 * width, 1)):
            layers += [nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)]
            layers.append(nn.ReLU())
            channels = out
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]
    return nn.Sequential(*layers, *head).to(memory_format=torch.channels_last)


def folded(model: nn.Module) -> nn.Module:
    """A :func:`network` that is not trained any more, norm layers inside plain convolutions."""
    layers, last = list(model.eval().requires_grad_(False)), None
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            kept[-1] = fuse_conv_bn_eval(last, layer)
        else:
            kept.append(layer)
        last = layer
    return nn.Sequential(*kept).to(memory_format=torch.channels_last)


def forward(model: nn.Module, images: Tensor) -> Tensor:
    """Logits, float32, computed in bfloat16: twice as fast on current processors."""
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, torch.bfloat16):
        return model(images).float()


def imitation(student: Tensor, teacher: Tensor) -> Tensor:
    """(n,) divergence of the student's classes from the teacher's at temperature 4."""
    student, teacher = F.log_softmax(student / TAU, 1), F.softmax(teacher / TAU, 1)
    return TAU**2 * F.kl_div(student, teacher, reduction='none').sum(1)


def influence(
    images: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor], student: nn.Module, teacher: Any
) -> Tensor:
    """How much a step of the student's last layer on each image lowers the loss of others.

    Args:
        images: (n, C, H, W), and their labels, (n,).
        others: The images whose loss counts, and their labels.
        student: A :func:`network`.
        teacher: Another one.

    Returns:
        (n,) inner products of the gradients of loss and distillation, per unit of a step.
    """

    def factors(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Of the gradients: (n, d + 1) features and (n, c) derivatives by the logits."""
        features = forward(student[:-1], images)
        logits, target = student[-1](features), forward(teacher, images)
        by_logits = TAU * (F.softmax(logits / TAU, 1) - F.softmax(target / TAU, 1))
        by_logits = by_logits + F.softmax(logits, 1) - F.one_hot(labels, logits.shape[1])
        return F.pad(features, (0, 1), value=1.0), by_logits

    features, by_logits = factors(*others)
    gradient = features.T @ by_logits / len(features)
    features, by_logits = factors(*images)
    return ((features @ gradient) * by_logits).sum(1)


def augmenter_of(
    kind: str, strength: float = 0.0, arguments: Mapping[str, Any] | None = None
) -> LearnedAugmenter:
    """What augments: the untrained policy, or what users take instead, with the same operators.

    Args:
        kind: ``'policy'``; ``'paper'``, the reference's; ``'randaugment'``, two operators on every
            image at one magnitude; or ``'trivialaugment'``, one operator on every image at a
            magnitude that is uniform on the wide ranges of that paper.
        strength: The magnitude of RandAugment, of 30.
        arguments: Those of the augmenter of a policy, or of the reference's. Defaults to none.
    """
    if kind == 'paper':
        return PaperAugmenter(**arguments or {})
    if kind == 'randaugment':
        return LearnedAugmenter(**randaugment(strength))
    if kind == 'trivialaugment':
        return LearnedAugmenter(**trivialaugment())
    return LearnedAugmenter(**arguments or {})


def randaugment(strength: float) -> dict[str, Any]:
    """RandAugment at a strength, of 30, as arguments of :class:`LearnedAugmenter`."""
    ranges = {
        operator.name: operator.physical(strength / 30)
        for operator in LearnedAugmenter(operators=OPERATORS).operators
        if operator.has_magnitude
    }
    init = dict(rate=1.0, magnitude=1.0)
    return dict(operators=OPERATORS, num_ops=2, ranges=ranges, init=init)


def trivialaugment() -> dict[str, Any]:
    """TrivialAugment with its wide ranges, as arguments of :class:`LearnedAugmenter`."""
    init = dict(rate=1.0, magnitude=0.5)
    return dict(operators=OPERATORS, num_ops=1, ranges=WIDE, init=init)


def mixed(images: Tensor, how: str, random: torch.Generator) -> tuple[Tensor, Tensor, float]:
    """MixUp or CutMix of a batch with itself, the share uniform in (0, 1), one for all.

    Args:
        images: (B, C, H, W).
        how: ``'mixup'`` or ``'cutmix'``.
        random: Where the numbers come from.

    Returns:
        The mixed images; which image each was mixed with, (B,); and the share of its own.
    """
    order = torch.randperm(len(images), generator=random)
    share, top, left = torch.rand(3, generator=random).tolist()
    if how == 'mixup':
        return share * images + (1 - share) * images[order], order, share
    height, width = images.shape[-2:]
    high, wide = (round(size * (1 - share) ** 0.5) for size in (height, width))
    y, x = int(top * (height - high + 1)), int(left * (width - wide + 1))
    images = images.clone()
    images[..., y : y + high, x : x + wide] = images[order][..., y : y + high, x : x + wide]
    return images, order, 1 - high * wide / (height * width)


def load_images(folder: Path, split: str, cache: Path) -> tuple[Tensor, Tensor]:
    """Read a split of a data set.

    Args:
        folder: With ``train/<class>/*`` and ``test/<class>/*``, or with idx files.
        split: ``'train'`` or ``'test'``.
        cache: Folder in which pictures are kept as one array once they are read.

    Returns:
        (N, C, H, W) uint8 images and (N,) labels.
    """
    idx = {'train': 'train', 'test': 't10k'}[split]
    found = sorted(folder.glob(f'{idx}-images-idx3-ubyte*'))
    if found:
        images = read_idx(found[0])[:, None]
        labels = read_idx(next(folder.glob(f'{idx}-labels-idx1-ubyte*')))
        return torch.tensor(images), torch.tensor(labels).long()
    path = cache / f'{folder.name}_{split}.npz'
    if not path.exists():
        classes = sorted(path for path in (folder / split).iterdir() if path.is_dir())
        files = [(file, i) for i, kind in enumerate(classes) for file in sorted(kind.iterdir())]
        pictures = np.stack([np.asarray(Image.open(file)) for file, _ in files])
        pictures = pictures[:, None] if pictures.ndim == 3 else pictures.transpose(0, 3, 1, 2)
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(path, images=pictures, labels=[i for _, i in files])
    stored = np.load(path)
    return torch.tensor(stored['images']), torch.tensor(stored['labels']).long()
