"""What the tests of augment share: real images, hand-made draws, a normalised batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import torch
from PIL import Image
from skimage import data
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tst_mm.augment import Draw, LearnedAugmenter, Normalization
from tst_mm.augment.draw import compose
from tst_mm.augment.operators import DEFAULT_OPERATORS, OPERATOR_SETS, ImageInfo, Operator
from tst_mm.augment.warp import warp_images
from tst_mm.registry import OPERATORS

IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
LEARNED = DEFAULT_OPERATORS[:11]
COLOR = (*DEFAULT_OPERATORS[:6], 'Equalize', 'Invert')
GEOMETRIC = DEFAULT_OPERATORS[6:11]
#: What the kernel of a whole draw knows.
KNOWN = [name for name in OPERATOR_SETS['wide'] if name not in ('Blur', 'Noise')]
DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'
#: Logits at which a gate is exactly 1 and exactly 0.
ALWAYS, NEVER = 100.0, -100.0


@cache
def photo(name: str = 'astronaut', height: int = 96, width: int = 128) -> Image.Image:
    """A photograph that comes with scikit-image; ``'camera'`` and ``'coins'`` are grey."""
    return Image.fromarray(getattr(data, name)()).resize((width, height), Image.Resampling.BICUBIC)


def to_unit(image: Image.Image) -> Tensor:
    """Pillow image -> (1, C, H, W) in [0, 1], float32."""
    pixels = torch.from_numpy(np.array(image)).float() / 255
    return (pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1))[None]


def to_levels(images: Tensor) -> Tensor:
    """(1, C, H, W) in [0, 1] -> (H, W) or (H, W, C) in grey values, not rounded."""
    levels = images[0].permute(1, 2, 0) * 255
    return levels.squeeze(-1)


def levels_of(image: Image.Image) -> Tensor:
    """Pillow image -> (H, W) or (H, W, C) grey values, float32."""
    return torch.from_numpy(np.array(image)).float()


def normalised(images: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1] -> as ImageNet models see it."""
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    return (images * 255 - mean.view(3, 1, 1)) / std.view(3, 1, 1)


def batch(count: int = 2, height: int = 24, width: int = 32) -> Tensor:
    """(count, 3, height, width) different photographs, normalised."""
    names = ('astronaut', 'chelsea', 'coffee', 'rocket')
    photos = [to_unit(photo(names[i % 4], height, width)) for i in range(count)]
    return normalised(torch.cat(photos))


def imagenet_augmenter(**kwargs) -> LearnedAugmenter:
    """An augmenter that knows the normalisation of :func:`batch`."""
    augmenter = LearnedAugmenter(**kwargs)
    augmenter.normalization = Normalization(IMAGENET_MEAN, IMAGENET_STD)
    return augmenter


def operator(name: str, **kwargs) -> Operator:
    """One operator, outside an augmenter."""
    return OPERATORS.get(name)(**kwargs)


def info(images: Tensor, mask: Tensor | None = None) -> ImageInfo:
    """What a colour operator is told about RGB or single-channel images."""
    return ImageInfo(Normalization().to(images.dtype).luma(images.shape[1]), mask)


def color(name: str, images: Tensor, level: float | Tensor = 1.0, **kwargs) -> Tensor:
    """A colour operator on (n, C, H, W) in [0, 1]."""
    level = torch.as_tensor(level, dtype=images.dtype).expand(len(images))
    return operator(name, **kwargs).apply(images, level.view(-1, 1, 1, 1), info(images))


def draw_of(
    augmenter: LearnedAugmenter,
    sizes: Sequence[tuple[int, int]],
    gates: Mapping[str, float],
    levels: Mapping[str, float] | None = None,
    position: tuple[float, float] = (0.5, 0.5),
) -> Draw:
    """A draw made by hand: the named operators act on all images, the others on none."""
    names, rows = augmenter.policy.names, len(sizes)
    gate = torch.tensor([gates.get(name, 0.0) for name in names]).expand(rows, -1)
    level = torch.tensor([(levels or {}).get(name, 1.0) for name in names]).expand(rows, -1)
    return draw_from(augmenter, sizes, gate, level, torch.tensor([position]).expand(rows, 2), gates)


def draw_from(
    augmenter: LearnedAugmenter,
    sizes: Sequence[tuple[int, int]],
    gates: Tensor,
    levels: Tensor,
    positions: Tensor,
    acting: Sequence[str] | Mapping[str, float],
) -> Draw:
    """A draw from (B, N) gates and levels, in which the ``acting`` operators act on all images."""
    extents = torch.tensor(sizes, dtype=torch.float32)
    names = augmenter.policy.names
    moves = bool(set(acting) & set(GEOMETRIC))
    return Draw(
        operators=augmenter.operators,
        gates=gates,
        magnitudes=levels.abs(),
        levels=levels,
        positions=positions,
        sizes=tuple(sizes),
        extents=extents,
        acted_on=tuple(None if name in acting else () for name in names),
        matrix=compose(augmenter.operators, gates, levels, extents),
        moved_images=tuple(range(len(sizes))) if moves else (),
    )


def about_centre(linear: Sequence[Sequence[float]], height: float, width: float) -> Tensor:
    """(1, 3, 3) fp64 map of a 2x2 matrix about the centre of an image."""
    matrix = torch.eye(3, dtype=torch.float64)
    matrix[:2, :2] = torch.tensor(linear, dtype=torch.float64)
    centre = torch.tensor([width / 2, height / 2], dtype=torch.float64)
    matrix[:2, 2] = centre - matrix[:2, :2] @ centre
    return matrix[None]


def rotation(degrees: float, height: float, width: float) -> Tensor:
    """(1, 3, 3) fp64 rotation about the centre, clockwise on the screen."""
    angle = np.deg2rad(degrees)
    linear = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return about_centre(linear, height, width)


def shift(x: float, y: float) -> Tensor:
    """(1, 3, 3) fp64 translation in pixels."""
    matrix = torch.eye(3, dtype=torch.float64)
    matrix[0, 2], matrix[1, 2] = x, y
    return matrix[None]


def with_logits(augmenter: LearnedAugmenter, logit: float) -> LearnedAugmenter:
    """The same augmenter with all probability logits at one value."""
    torch.nn.init.constant_(augmenter.policy.probability_logits, logit)
    return augmenter


def forced(*names: str, **kwargs) -> LearnedAugmenter:
    """All operators drawn; only the named ones act."""
    augmenter = with_logits(imagenet_augmenter(num_ops=14, **kwargs), NEVER)
    with torch.no_grad():
        for name in names:
            augmenter.policy.probability_logits[DEFAULT_OPERATORS.index(name)] = ALWAYS
    return augmenter


def expected_alone(
    name: str, inputs: Tensor, draw: Draw, told: type[ImageInfo] = ImageInfo
) -> Tensor:
    """One operator on a normalised batch, by the formulas of its family."""
    normalization = Normalization(IMAGENET_MEAN, IMAGENET_STD)
    index = draw.operators.index(next(op for op in draw.operators if op.name == name))
    levels = draw.levels[:, index]
    if name in COLOR:
        unit = normalization.to_unit(inputs)
        known = told(**vars(info(unit)))
        new = operator(name).apply(unit, levels.view(-1, 1, 1, 1), known)
        return (new * 255 - normalization.mean) / normalization.std
    if name in GEOMETRIC:
        return warp_images(inputs, draw.matrix)
    height, width = inputs.shape[-2:]
    erased = operator(name).region(levels, draw.positions, draw.extents, height, width)
    return inputs * (1 - erased)


class NoHostReads(TorchDispatchMode):
    """Fails where the host would wait for a value of one of the dtypes."""

    def __init__(self, *dtypes):
        super().__init__()
        self.dtypes = dtypes

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        reads = ('_local_scalar_dense', 'nonzero', 'masked_select', 'is_nonzero', 'equal')
        if func.overloadpacket.__name__ in reads:
            assert args[0].dtype not in self.dtypes, f'host waits for {func}'
        return func(*args, **(kwargs or {}))


def known_augmenter(
    operators: Sequence[str | Mapping], channels: int = 3, order: str = 'rgb', **options: int
) -> LearnedAugmenter:
    """An augmenter that acts at 0.9, on the GPU where there is one."""
    augmenter = LearnedAugmenter(operators, init=dict(rate=0.9), **options)
    mean, std = [120.0, 110.0, 100.0][:channels], [58.0, 57.0, 60.0][:channels]
    augmenter.normalization = Normalization(mean, std, order).to(DEVICE)
    return augmenter
