"""The way of a draw through one kernel, where there is Triton: for small images on a GPU.

Eager operators take a launch or more each, which on a GPU costs more than the work itself as long
as images are small. Here one program changes one image from its first colour to its last erased
pixel. What it computes is what :func:`tst_mm.augment.composition.in_sequence` does, up to rounding;
that is the reference, and is used wherever :func:`fits` says no.
"""

from __future__ import annotations

import functools
import logging

import torch
from mmengine.logging import print_log
from torch import Tensor

from .draw import Draw
from .normalization import Normalization
from .operators import (
    Brightness,
    Color,
    ColorOperator,
    Contrast,
    Cutout,
    Equalize,
    GeometricOperator,
    Grey,
    Hue,
    Invert,
    Posterize,
    Sharpness,
    Solarize,
)

try:
    from .kernel import augment_images
except ImportError:  # no Triton
    augment_images = None  # type: ignore[assignment]

#: The most pixels of an image. At 224 x 224 it was measured to be worth it; few large images would
#: leave most of a GPU idle.
_MOST_PIXELS = 256 * 256
#: What the kernel knows, by the number that it has there.
_KINDS: tuple[type, ...] = (
    Brightness,
    Invert,
    Posterize,
    Solarize,
    Color,
    Grey,
    Hue,
    Contrast,
    Sharpness,
    Equalize,
    Cutout,
)
#: The numbers of a row that do not belong to an operator.
_PLACES = 12
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


def fits(images: Tensor, draw: Draw) -> bool:
    """Whether the kernel can do what a draw asks for.

    It does hard draws that are on the host, on images of one or three channels without a gradient,
    with the operators of the standard set and the other pointwise ones.

    Args:
        images: The normalised images, (B, C, H, W).
        draw: What was drawn for them.
    """
    return (
        augment_images is not None
        and images.is_cuda
        and images.dtype == torch.float32
        and images.shape[1] in (1, 3)
        and images.shape[2] * images.shape[3] <= _MOST_PIXELS
        and not images.requires_grad
        and knows(draw)
        and runs_on(images.device)
    )


@functools.cache
def runs_on(device: torch.device) -> bool:
    """Whether the kernel can be compiled and started on a device, which is tried once.

    Triton needs a C compiler on the machine, and a GPU that is not too old. Where it fails, a
    warning says why, and eager operators are used.
    """
    image, level = torch.zeros(1, 1, 1, 1, device=device), torch.ones(1, device=device)
    try:
        augment_images(image, torch.zeros(_PLACES, device=device), 0, _PLACES, (level,) * 5, False)
    except Exception as error:  # whatever goes wrong, nothing needs the kernel
        print_log(
            f'augmenter: no kernel of Triton on {device}, so operators are launched one by one: '
            f'{type(error).__name__}: {error}',
            logger='current',
            level=logging.WARNING,
        )
        return False
    return True


def knows(draw: Draw) -> bool:
    """Whether the kernel has all operators that act in a draw, and the draw is a hard one."""
    return (
        type(draw) is Draw
        and not draw.matrix.is_cuda
        and not draw.levels.requires_grad
        and all(
            isinstance(operator, GeometricOperator)
            or images == ()
            # Own subclasses may do something else, and a square of fixed size is unknown there.
            or (type(operator) in _NUMBERS and not getattr(operator, 'pixels', False))
            for operator, images in zip(draw.operators, draw.acted_on, strict=True)
        )
    )


def in_one_pass(images: Tensor, draw: Draw, normalization: Normalization) -> Tensor:
    """Apply a draw that :func:`fits`.

    Args:
        images: The normalised images, (B, C, H, W), float32; they are never modified.
        draw: What was drawn for them.
        normalization: Their normalisation.

    Returns:
        The changed images in the same shape and memory format; padding is as it was.
    """
    batch, count = draw.gates.shape
    marks = torch.zeros(batch, 2)
    for column, marked in enumerate((draw.acted_on_by(ColorOperator), draw.moved_images)):
        marks[list(marked), column] = 1
    columns = [
        draw.gates,
        draw.levels,
        torch.linalg.inv_ex(draw.matrix).inverse[:, :2].flatten(1),
        draw.positions * draw.extents,
        draw.extents,
        marks,
    ]
    rows = torch.cat(columns, 1)
    kinds = [_NUMBERS.get(type(operator), -1) for operator in draw.operators]
    table = torch.tensor([*kinds, *(operator.limit for operator in draw.operators)])
    # One transfer: the kernel finds the table of operators behind the rows.
    host = torch.cat((rows.flatten(), table)).to(images.device, non_blocking=True)
    levels = (
        normalization.unit_std,
        normalization.unit_mean,
        normalization.inputs_per_unit,
        normalization.input_of_black,
        normalization.luma_rgb,
    )
    flipped = normalization.channel_order == 'bgr'
    return augment_images(images, host, count, rows.shape[1], levels, flipped)
