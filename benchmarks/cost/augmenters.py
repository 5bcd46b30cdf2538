"""Calls of augmenters whose draws repeat, for clocks and counters."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.normalization import Normalization
from tst_mm.registry import MODELS

from .batches import Shape
from .peers import KorniaAugmenter, TorchvisionAugmenter

#: Of the augmenter's batches: small images, photographs, two images of a detector, of a segmentor.
SIZES: dict[str, Shape] = {
    '128x3x32x32': (128, 3, 32, 32),
    '64x3x224x224': (64, 3, 224, 224),
    '2x3x800x1344': (2, 3, 800, 1344),
    '2x3x512x1024': (2, 3, 512, 1024),
}
#: The published form's augmenter, with relaxed gates and none of the reference's peculiarities.
RELAXED = {'type': 'tst_mm.PaperAugmenter', 'preset': 'recommended'}
Call = Callable[[], object]


def make_augmenter(device: torch.device, **config: Any) -> Any:
    """The default augmenter; another one or other arguments by its config."""
    augmenter = MODELS.build({'type': 'tst_mm.LearnedAugmenter', **config})
    augmenter.normalization = Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    augmenter.reseed(0)
    return augmenter.to(device)


def random_images(shape: Shape, device: torch.device) -> Tensor:
    """Normalised images of random bytes, the same for the same shape."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, shape, generator=generator).float()
    return ((pixels - 117) / 58).to(device)


def augmenter_pass(shape: Shape, device: torch.device, **config: Any) -> Call:
    """A pass of the default augmenter, as training and search call it, with draws that repeat."""
    augmenter, inputs = make_augmenter(device, **config), random_images(shape, device)
    return _with_draws(augmenter, lambda: torch.no_grad()(augmenter)(inputs))


def beside_peers(shape: Shape, device: torch.device) -> dict[str, Call]:
    """Ours, kornia's and torchvision's operators on the same draws.

    Without gradient as training and search call them, and forward and backward through relaxed
    gates as the published search does.
    """
    augmenter, relaxed = make_augmenter(device), make_augmenter(device, **RELAXED)
    inputs = random_images(shape, device)
    bytes_ = torch.randint(0, 256, shape, dtype=torch.uint8).to(device)
    kornia, torchvision = KorniaAugmenter(augmenter), TorchvisionAugmenter(augmenter)
    relaxed_kornia = KorniaAugmenter(relaxed)
    gradient = torch.ones_like(inputs)  # of every pixel, as a network gives it

    def backward(images: Tensor) -> None:
        relaxed.policy.zero_grad()
        images.backward(gradient)

    @torch.no_grad()
    def forward(call: Call) -> object:
        return call()

    hard: dict[str, Call] = {
        'ours forward': lambda: forward(lambda: augmenter(inputs)),
        'kornia forward': lambda: forward(lambda: kornia(inputs)),
        'torchvision forward': lambda: forward(lambda: torchvision(bytes_)),
    }
    soft: dict[str, Call] = {
        'ours forward+backward': lambda: backward(relaxed(inputs, relaxed=True)[0]),
        'kornia forward+backward': lambda: backward(relaxed_kornia(inputs, relaxed=True)),
    }
    return {
        **{name: _with_draws(augmenter, call) for name, call in hard.items()},
        **{name: _with_draws(relaxed, call) for name, call in soft.items()},
    }


def moving_draw(augmenter: LearnedAugmenter, sizes: list) -> Any:
    """A draw that moves every image."""
    seed = 0
    while True:
        augmenter.reseed(seed)
        draw = augmenter.draw(sizes)
        if len(draw.moved_images) == len(sizes):
            return draw
        seed += 1


def _with_draws(augmenter: LearnedAugmenter, call: Call) -> Call:
    """The n-th call draws what the n-th call of any other variant draws."""
    rounds = itertools.count()

    def run() -> object:
        augmenter.reseed(next(rounds))
        return call()

    return run
