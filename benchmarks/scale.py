"""Hours and memory of the large recipes, from counted passes: a table, no GPU needed.

    python -m benchmarks.scale                         # prints benchmarks/scale.md
    python -m benchmarks.scale --tflops 150 --images 8000

Networks are built as their configs say, at full size, on torch's meta device: a forward pass is
counted, not run. A backward pass costs two forward passes, one that stops at the image costs one.
What is assumed and not counted stands above the table: the rate that a GPU sustains,
the images that a loader delivers, what a step costs over its floor, which
``python -m benchmarks.cost`` measures, and the host's time for a launch. The launches of a step
are counted too: they take the host a time that no batch changes, so it hides behind the device
from some number of images on.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cost.counters import Launches, PeakBytes, meta_device
from benchmarks.cost.counts import count_augmenter
from benchmarks.cost.steps import DRAWS
from tst_mm.engine.schedule.stages import DEFAULT_STAGES, DRAW_COST
from tst_mm.experiments import markdown_table
from tst_mm.registry import MODELS

#: Launches of an optimiser's step, whose parameters go together.
UPDATE = 20


@dataclass(frozen=True)
class Recipe:
    """One training of the paper.

    Attributes:
        name: In the table.
        student: Makes the student.
        teacher: Makes the teacher.
        size: Height and width of an image.
        images: In an epoch, or all of them when ``epochs`` is 1.
        epochs: Of student training.
        reference_stages: Epochs of augmenter training in the reference, over the same images.
        per_gpu: Images a step on one GPU, which the memory is for.
    """

    name: str
    student: Callable[[], nn.Module]
    teacher: Callable[[], nn.Module]
    size: tuple[int, int]
    images: int
    epochs: int
    reference_stages: float
    per_gpu: int


@dataclass(frozen=True)
class Passes:
    """One image through a network.

    Attributes:
        flops: Of a forward pass.
        memory: Bytes of activations at the peak of a forward and backward pass.
        looking: Bytes at the peak of a forward pass without gradient.
        launches: Of a forward pass without gradient, whatever the batch.
        learning: Launches of a forward and a backward pass.
    """

    flops: float
    memory: float
    looking: float
    launches: int
    learning: int


def recipes() -> list[Recipe]:
    """The recipes that are too large to try out first."""
    return [
        Recipe(
            'ImageNet, ResNet-34 to 18',
            lambda: _library('mmpretrain::resnet/resnet18_8xb32_in1k.py'),
            lambda: _library('mmpretrain::resnet/resnet34_8xb32_in1k.py'),
            (224, 224),
            images=1_281_167,
            epochs=100,
            reference_stages=10,
            per_gpu=32,
        ),
        Recipe(
            'COCO, RetinaNet X101 to R50',
            lambda: _library('mmdet::retinanet/retinanet_r50_fpn_2x_coco.py'),
            lambda: _library('mmdet::retinanet/retinanet_x101-64x4d_fpn_1x_coco.py'),
            (800, 1344),
            images=117_266,
            epochs=24,
            reference_stages=2,
            per_gpu=2,
        ),
        Recipe(
            'Cityscapes, PSPNet R101 to R18',
            lambda: _library('mmseg::pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py'),
            lambda: _library('mmseg::pspnet/pspnet_r101-d8_4xb2-80k_cityscapes-512x1024.py'),
            (512, 1024),
            images=80_000 * 16,
            epochs=1,
            reference_stages=3 * 2_975 / (80_000 * 16),
            per_gpu=2,
        ),
    ]


def count(model: nn.Module, size: tuple[int, int]) -> Passes:
    """Count one image through a network on the meta device.

    Args:
        model: The network on the meta device, in training mode.
        size: The height and width of the image in pixels.
    """
    images = torch.empty(2, 3, *size, device='meta', requires_grad=True)

    def forward() -> torch.Tensor:
        outputs = model(images, mode='tensor')
        return torch.stack([leaf.sum() for leaf in _leaves(outputs)]).sum()

    with meta_device():
        with (
            FlopCounterMode(display=False) as counter,
            torch.no_grad(),
            PeakBytes() as looking,
            Launches('meta') as launches,
        ):
            forward()
        with PeakBytes() as memory, Launches('meta') as learning:
            forward().backward()
    return Passes(
        counter.get_total_flops() / len(images),
        memory.peak / len(images),
        looking.peak / len(images),
        launches.total,
        learning.total,
    )


def row(
    recipe: Recipe, tflops: float, loader: float, overhead: float, launch: float
) -> list[list[str]]:
    """Lines of the table: plain KD, the default, double, the reference's schedule.

    Args:
        recipe: The recipe.
        tflops: What a GPU sustains, in 1e12 operations per second.
        loader: How many images per second a node delivers to its GPUs.
        overhead: The time of a step over that of its passes.
        launch: The host's time for a launch, in microseconds.
    """
    student, teacher = (count(make(), recipe.size) for make in (recipe.student, recipe.teacher))
    seen = recipe.images * recipe.epochs
    kd = 3 * student.flops + teacher.flops
    search = student.flops + teacher.flops
    # The default stages count a draw of an image at this part of one in training.
    drawn = DEFAULT_STAGES['share'] * seen / DRAW_COST
    looking = DRAWS * max(student.looking, teacher.looking)
    both = student.memory + teacher.memory
    reference = recipe.reference_stages * recipe.images
    plans = {  # views, images of stages, their passes, memory of an image in a stage
        'plain KD': (1, 0.0, 0.0, 0.0),
        'TST': (1, drawn, search, looking),
        'TST, double': (2, drawn, search, looking),
        'reference': (2, reference, 2 * search, both),  # both graphs at once
    }
    augmenter = count_augmenter((recipe.per_gpu, 3, *recipe.size))['default augmenter']
    lines = []
    for name, (views, searched, passes, stage) in plans.items():
        flops = seen * views * kd + searched * passes
        seconds = flops / (tflops * 1e12) * overhead
        loaded = searched / DRAWS if passes == search else searched
        loading = (seen + loaded) / loader
        peak = recipe.per_gpu * max(views * student.memory, stage)
        launches = student.learning + teacher.launches + UPDATE
        launches += 0 if name == 'plain KD' else augmenter['launches']
        host = launches * launch * 1e-6
        lines.append(
            [
                f'{recipe.name}: {name}',
                f'{flops / 1e15:,.0f}',
                f'{flops / (seen * kd):.2f} x',
                f'{searched * passes / flops:.1%}',
                f'{max(seconds, loading) / 3600:,.1f}',
                f'{max(seconds / 8, loading) / 3600:,.1f}',
                f'{loading / 3600:,.1f}',
                f'{peak / 2**30:.1f}',
                f'{1e3 * host:.1f}',
                f'{host * tflops * 1e12 / (views * kd):.1f}',
            ]
        )
    return lines


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--tflops', type=float, default=30.0, help='a GPU sustains (default: 30)')
    parser.add_argument('--images', type=float, default=5000, help='a second (default: 5000)')
    parser.add_argument('--overhead', type=float, default=1.05, help='over the floor (1.05)')
    parser.add_argument('--launch', type=float, default=10.0, help='microseconds of the host (10)')
    args = parser.parse_args(argv)
    for key, value in vars(args).items():
        if value <= 0:
            parser.error(f'--{key} is {value}; allowed: above 0')
    warnings.filterwarnings('ignore')
    print(f'A GPU sustains {args.tflops:g} TFLOP/s, a node loads {args.images:g} images a second,')
    print(f'a step takes {args.overhead:g} times its passes, a launch the host {args.launch:g} us.')
    print('float32 activations, eager operators.\n')
    head = ('', 'PFLOP', 'over KD', 'stages', 'hours, 1 GPU', '8 GPUs', 'loader', 'GiB a GPU')
    head += ('host, ms a step', 'hidden from images')
    lines = [
        line
        for recipe in recipes()
        for line in row(recipe, args.tflops, args.images, args.overhead, args.launch)
    ]
    print(markdown_table(head, lines))


def _library(name: str) -> nn.Module:
    """A model of a library's config, on the meta device."""
    config: Config = get_config(name)
    config.model.pop('pretrained', None)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        return MODELS.build(_without_weights(config.model.to_dict())).to('meta').train()


def _without_weights(config: Any) -> Any:
    """The config without downloads and without statistics over several GPUs."""
    if isinstance(config, dict):
        kept = {k: v for k, v in config.items() if k not in ('init_cfg', 'pretrained')}
        kept = {k: _without_weights(v) for k, v in kept.items()}
        return {**kept, 'type': 'BN'} if kept.get('type') == 'SyncBN' else kept
    if isinstance(config, (list, tuple)):
        return type(config)(map(_without_weights, config))
    return config


def _leaves(outputs: Any) -> list[torch.Tensor]:
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    return [leaf for part in outputs for leaf in _leaves(part)]


if __name__ == '__main__':
    main()
