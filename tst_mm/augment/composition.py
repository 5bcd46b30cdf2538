"""How the operators of a draw act together on a batch: in sequence, or as a sum of changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .draw import Draw, compose
from .normalization import Normalization
from .operators import ColorOperator, EraseOperator, GeometricOperator, ImageInfo, Operator
from .rows import Rows, take
from .warp import warp_images


@dataclass(frozen=True)
class Setting:
    """What the compositions know beside the draw.

    Attributes:
        normalization (Normalization): Of the batch.
        mask (Tensor, optional): (B, 1, H, W) bool, False in the padding; None without padding.
        clamp (bool): Whether colours are kept in the range of an image.
        coordinates (str): Of single geometric operators, see :func:`compose`.
    """

    normalization: Normalization
    mask: Tensor | None
    clamp: bool
    coordinates: str

    def info(self, channels: int) -> ImageInfo:
        """What colour operators are told."""
        normalization = self.normalization
        luma, order = normalization.luma(channels), normalization.channel_order
        return ImageInfo(luma, self.mask, self.clamp, order)


def in_sequence(inputs: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """Colour operators one after the other, then all geometry as one map, then erasing.

    Args:
        inputs: (B, C, H, W), normalised.
        draw: Of the B images.
        setting: See the class.

    Returns:
        Same shape; padding is not restored.
    """
    return _move_and_erase(_color_in_sequence(inputs, draw, setting), draw, setting)


def summed(inputs: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """The sum of the colour operators' changes, then geometry and erasing as in sequence.

    The reference on dense tasks; see :func:`in_sequence` for the shapes.
    """
    return _move_and_erase(_add_changes(inputs, draw, setting, ColorOperator), draw, setting)


def residual(inputs: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """``x + sum of g_i (T_i(x) - x)`` over all operators; moved copies overlay each other.

    The reference on classification; see :func:`in_sequence` for the shapes.
    """
    return _add_changes(inputs, draw, setting, Operator)


COMPOSITIONS: dict[str, Callable[[Tensor, Draw, Setting], Tensor]] = {
    'sequence': in_sequence,
    'summed': summed,
    'residual': residual,
}


@dataclass(frozen=True)
class _Part:
    """What one operator does to the k images that it acts on.

    Attributes:
        operator (Any): The operator.
        images (tuple[int, ...] | None): Their positions in the batch; None means all.
        level (Tensor): (k, 1, 1, 1).
        gate (Tensor, optional): (k, 1, 1, 1); None where all gates are 1.
    """

    operator: Any
    images: tuple[int, ...] | None
    level: Tensor
    gate: Tensor | None


def _parts(draw: Draw, family: type[Operator]) -> list[_Part]:
    """The operators of a family that act on at least one image, in index order."""
    chosen = [
        (i, draw.operators[i], images)
        for i, images in enumerate(draw.samples)
        if isinstance(draw.operators[i], family) and images != ()
    ]
    if not chosen:
        return []
    # One gather for all operators, and one scatter in its backward.
    every, count = range(len(draw)), len(draw.operators)
    cells = [[b * count + i for b in (every if on is None else on)] for i, _, on in chosen]
    where = torch.tensor(sum(cells, [])).to(draw.levels.device, non_blocking=True)
    tables = [
        table.flatten().index_select(0, where).view(-1, 1, 1, 1).split([len(c) for c in cells])
        for table in ((draw.levels, draw.gates) if draw.relaxed else (draw.levels,))
    ]
    gates = tables[1] if draw.relaxed else [None] * len(chosen)
    return [
        _Part(operator, images, level, gate)
        for (_, operator, images), level, gate in zip(chosen, tables[0], gates, strict=True)
    ]


def _color_in_sequence(inputs: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """Colour operators in sequence on values in [0, 1]; the change goes back to the input."""
    parts = _parts(draw, ColorOperator)
    if not parts:
        return inputs
    info = setting.info(inputs.shape[1])
    before = setting.normalization.to_unit(inputs)
    pixels = Rows(before)
    for part in parts:
        old = pixels.take(part.images)
        new = part.operator.apply(old, part.level.to(old.dtype), info.select(part.images))
        if part.gate is not None:
            new = torch.lerp(old, new, part.gate.to(old.dtype))
        pixels.put(part.images, new)
    return inputs + setting.normalization.delta_to_input(pixels.whole() - before)


def _move_and_erase(images: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """Sample through the maps of the draw, then erase with 0, the network's mean colour."""
    rows = Rows(images)
    if draw.moved_images:
        moved = None if len(draw.moved_images) == len(draw) else draw.moved_images
        mask = None if setting.mask is None else take(setting.mask, moved)
        source, matrix = rows.take(moved), take(draw.matrix, moved)
        rows.put(moved, warp_images(source, matrix, mask, may_stay=draw.relaxed))
    for part in _parts(draw, EraseOperator):
        region = _region(part, draw, images)
        kept = 1 - (region if part.gate is None else part.gate * region)
        rows.put(part.images, rows.take(part.images) * kept.to(images.dtype))
    return rows.whole()


def _add_changes(inputs: Tensor, draw: Draw, setting: Setting, family: type[Operator]) -> Tensor:
    """Add what each operator of a family changes on the input, times its gate."""
    unit, info = Rows(setting.normalization.to_unit(inputs)), setting.info(inputs.shape[1])
    given, result = Rows(inputs), Rows(inputs)
    for part in _parts(draw, family):
        images = given.take(part.images)
        if isinstance(part.operator, ColorOperator):
            old = unit.take(part.images)
            new = part.operator.apply(old, part.level.to(old.dtype), info.select(part.images))
            change = setting.normalization.delta_to_input(new - old)
        elif isinstance(part.operator, GeometricOperator):
            level, extents = part.level.flatten(), take(draw.extents, part.images)
            gate = torch.ones_like(level)[:, None]
            matrix = compose(
                (part.operator,), gate, level[:, None], extents, 'sequence', setting.coordinates
            )
            mask = None if setting.mask is None else take(setting.mask, part.images)
            change = warp_images(images, matrix, mask) - images
        else:
            change = -images * _region(part, draw, images).to(images.dtype)
        if part.gate is not None:
            change = part.gate.to(change.dtype) * change
        result.put(part.images, result.take(part.images) + change)
    if setting.clamp and (whole := result.whole()) is not inputs:
        # A value that is outside already, by rounding, may stay where it is.
        low, high = setting.normalization.limits()
        return whole.clamp(torch.minimum(inputs, low), torch.maximum(inputs, high))
    return result.whole()


def _region(part: _Part, draw: Draw, images: Tensor) -> Tensor:
    """(k, 1, H, W) region that an operator erases."""
    positions, extents = take(draw.positions, part.images), take(draw.extents, part.images)
    return part.operator.region(part.level.flatten(), positions, extents, *images.shape[-2:])
