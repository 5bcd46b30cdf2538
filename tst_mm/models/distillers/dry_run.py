"""A dry run: what each module of a network gives for a small image; the network stays as it is."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from torch import Tensor, nn

#: Sides of images, in pixels, that are tried in this order; some networks take one size only.
SIZES = (64, 128, 224, 32, 256, 320, 512)
#: The same for levels of strides up to 128, which have to be told apart.
PYRAMID_SIZES = (128, 256, 224, 320, 512)

#: Norm layers refuse a single value a channel, which small images may come to.
_IMAGES = 2


@dataclass(frozen=True)
class Source:
    """A module's output, or one part of it, that is a tensor up to a constant factor.

    Attributes:
        module (str): Dotted name.
        index (int | None): Which part, where the module gives several.
        factor (float): What the output has to be multiplied by.
    """

    module: str
    index: int | None = None
    factor: float = 1.0


@dataclass(frozen=True)
class Level:
    """A feature map that a backbone or neck gives.

    Attributes:
        module (str): Dotted name.
        index (int | None): Which of its outputs.
        channels (int): C.
        size (tuple[int, int]): Height and width for the image of the dry run.
    """

    module: str
    index: int | None
    channels: int
    size: tuple[int, int]


class DryRun:
    """Runs a copy of a network on two small random images and keeps what its modules give.

    The copy has no gradient; the network, its attributes and all random states stay as they are.

    Args:
        model: A network of any OpenMMLab library.
        size: Height and width of the images.
        forward: What is run, given the copy and two images (2, C, H, W); by default
            ``mode='tensor'``.
        training: Whether the copy trains; it evaluates by default.

    Attributes:
        size (tuple[int, int]): Of the image.
        outputs (dict[str, Any]): What each module gave at its first call, in order of completion.
        result (Any): What ``forward`` gave.

    Raises:
        Exception: Whatever the network raises on such an image.
    """

    def __init__(
        self,
        model: nn.Module,
        size: tuple[int, int],
        forward: Callable[[nn.Module, Tensor], Any] | None = None,
        training: bool = False,
    ) -> None:
        self.size = size
        self.outputs: dict[str, Any] = {}
        generator = torch.Generator().manual_seed(0)
        image = torch.randn(_IMAGES, _channels(model), *size, generator=generator)
        with _same_randomness(), torch.no_grad():
            network = copy.deepcopy(model).train(training).to(get_device())
            for name, module in network.named_modules():
                module.register_forward_hook(partial(self._keep, name))
            image = image.to(get_device())
            self.result = forward(network, image) if forward else network(image, mode='tensor')

    def _keep(self, name: str, module: nn.Module, args: Any, output: Any) -> None:
        self.outputs.setdefault(name, output)

    def source(self, tensor: Tensor, inside: str = '') -> Source | None:
        """The innermost module that gives a tensor, or gives it up to a constant factor.

        Args:
            tensor: Part of the result, such as the class logits.
            inside: Dotted name of the part of the network to look in; all of it by default.
        """
        parts = self._tensors_of(inside, tensor)
        found = next((source for source, part in parts if part is tensor), None)
        if found is not None:
            # A head that scales at last may do more to it while it trains (margins of ArcFace).
            parts = self._tensors_of(found.module, tensor)
            parts = [(source, part) for source, part in parts if source.module != found.module]
        for source, part in parts:
            factor = _factor(part, tensor)
            if part is not tensor and factor is not None:
                return Source(source.module, source.index, factor)
        return found

    def _tensors_of(self, inside: str, like: Tensor) -> list[tuple[Source, Tensor]]:
        """Outputs of the shape of a tensor, those of inner modules first."""
        return [
            (Source(name, index), part)
            for name, output in self.outputs.items()
            if name and (not inside or f'{name}.'.startswith(f'{inside}.'))
            for index, part in _parts(output)
            if isinstance(part, Tensor) and part.shape == like.shape
        ]

    def levels(self) -> list[Level]:
        """Feature maps of the neck; where it gives none, of the backbone; one for each image."""
        for module in ('neck', 'backbone'):
            maps = [
                Level(module, index, part.shape[1], tuple(part.shape[2:]))
                for index, part in _parts(self.outputs.get(module))
                if isinstance(part, Tensor) and part.dim() == 4 and len(part) == _IMAGES
            ]
            if maps:
                return maps
        return []


def dry_runs(
    models: Sequence[nn.Module],
    forward: Callable[[nn.Module, Tensor], Any] | None = None,
    sides: Sequence[int] = SIZES,
) -> list[DryRun] | None:
    """Dry runs of several networks on images of the same size.

    Args:
        models: The networks.
        forward: See :class:`DryRun`.
        sides: Of the images that are tried, in this order, after the sizes of position embeddings.

    Returns:
        One run a network; None where there is no size that all of them take.
    """
    declared = [size for model in models for size in _declared_sizes(model)]
    for size in dict.fromkeys([*declared, *((side, side) for side in sides)]):
        try:
            return [DryRun(model, size, forward) for model in models]
        except Exception as error:  # another size, or another way of running it, may do
            reason = f'{type(error).__name__}: {" ".join(str(error).split())[:200]}'
            print_log(f'dry run at {size[0]} x {size[1]}: {reason}', 'current', 10)
    return None


def training_run(model: nn.Module, size: tuple[int, int]) -> DryRun | None:
    """What a student's backbone and neck give while it trains, which may be more than otherwise.

    Args:
        model: The student.
        size: Of images that it takes.

    Returns:
        None where it cannot be run so.
    """
    with suppress(Exception):
        return DryRun(model, size, lambda network, image: network.extract_feat(image), True)
    return None


def _declared_sizes(model: nn.Module) -> Iterator[tuple[int, int]]:
    """Sizes of images that a backbone was made for, such as those of position embeddings."""
    size = getattr(getattr(model, 'backbone', None), 'img_size', None)
    if isinstance(size, int):
        size = (size, size)
    if isinstance(size, (tuple, list)) and len(size) == 2 and max(size) <= max(SIZES):
        yield int(size[0]), int(size[1])


def _channels(model: nn.Module) -> int:
    """Channels of a network's images, as its first convolution has them."""
    layers = (m for m in model.modules() if isinstance(m, nn.Conv2d))
    first = next(layers, None)
    return 3 if first is None else first.in_channels


def _parts(output: Any) -> list[tuple[int | None, Any]]:
    """Parts of a module's output, each with its index."""
    if isinstance(output, (tuple, list)):
        return list(enumerate(output))
    return [] if output is None else [(None, output)]


def _factor(part: Tensor, tensor: Tensor) -> float | None:
    """The constant that turns one tensor into another, or None."""
    part, tensor = part.double(), tensor.double()
    if any(not t.std() > 1e-6 * t.abs().max() > 0 for t in (part, tensor)):
        return None  # of constants any is a multiple of any other
    factor = float((part * tensor).sum() / part.square().sum())
    return factor if torch.allclose(part * factor, tensor, rtol=1e-4, atol=1e-6) else None


@contextmanager
def _same_randomness() -> Iterator[None]:
    """Leave every random state as it was."""
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
