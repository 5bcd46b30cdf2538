"""Real networks that know and do not know by construction what a search is to find.

The class of an image is told twice: by which half is brighter, top or bottom, and by its colour.
The student looks at the halves only, the teacher at the colour only. So a mirror from left to
right (FlipX) concerns nobody, one from top to bottom (FlipY) the student alone, and the grey image
(Grey) the teacher alone.
"""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from tst_mm.registry import MODELS
from tst_mm.search import MeasuringSearch

SIZE = 8


@MODELS.register_module(force=True)
class Halves(nn.Module):
    """How much brighter the upper half is."""

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """(B, 3, H, W) -> ((B, 1),)."""
        upper, lower = images.chunk(2, dim=2)
        return ((upper - lower).mean((1, 2, 3))[:, None],)


@MODELS.register_module(force=True)
class Colour(nn.Module):
    """How much more of the first channel there is than of the last."""

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """(B, 3, H, W) -> ((B, 1),)."""
        return ((images[:, 0] - images[:, 2]).mean((1, 2))[:, None],)


def classifier(backbone: str) -> dict[str, Any]:
    return {
        'type': 'mmpretrain.ImageClassifier',
        'data_preprocessor': {
            'type': 'mmpretrain.ClsDataPreprocessor',
            'mean': [127.5] * 3,
            'std': [127.5] * 3,
        },
        'backbone': {'type': f'tst_mm.{backbone}'},
        'head': {'type': 'mmpretrain.LinearClsHead', 'num_classes': 2, 'in_channels': 1},
    }


def distiller(operators: Any, **options: Any) -> nn.Module:
    """Student and teacher as above, about nine times in ten sure and right."""
    augmenter = {
        'operators': operators,
        'num_ops': options.pop('num_ops', len(operators)),
        'init': options.pop('init', {'rate': 0.5}),
    }
    model = MODELS.build(
        {
            'type': 'tst_mm.ClassificationDistiller',
            'student': classifier('Halves'),
            'teacher': {'model': classifier('Colour'), 'checkpoint': 'random'},
            'augmenter': {'type': 'tst_mm.LearnedAugmenter', **augmenter},
            **options,
        }
    )
    with torch.no_grad():
        for network in (model.student, model.teacher.model):
            network.head.fc.weight.copy_(torch.tensor([[-2.0], [2.0]]))
            network.head.fc.bias.zero_()
    return model.train()


def batch(seed: int, count: int = 32) -> dict[str, list]:
    """Images of either class, of different strength, with noise."""
    generator = torch.Generator().manual_seed(seed)
    inputs, samples = [], []
    for i in range(count):
        sign = 2 * (i % 2) - 1
        halves, colour = 20 + 40 * torch.rand(2, generator=generator)
        image = 127.5 + 20 * torch.randn(3, SIZE, SIZE, generator=generator)
        image[:, : SIZE // 2] += sign * halves
        image[:, SIZE // 2 :] -= sign * halves
        image[0] += sign * colour
        image[2] -= sign * colour
        inputs.append(image.clamp(0, 255).to(torch.uint8))
        samples.append(DataSample().set_gt_label(i % 2))
    return {'inputs': inputs, 'data_samples': samples}


def search(model: nn.Module, seed: int = 0, steps: int = 2, **options: Any) -> MeasuringSearch:
    """One stage over ``32 * steps`` images; the policy has followed."""
    found = MeasuringSearch(**options)
    found.check(model)
    found.begin(model, steps, steps)
    for step in range(steps):
        model.augmenter.reseed(seed, step)
        found.step(batch(1000 * seed + step))
    found.end()
    return found
