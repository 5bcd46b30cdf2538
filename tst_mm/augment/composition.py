"""How the operators of a draw act together on a batch: in sequence, or as a sum of changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .draw import Draw, compose
from .normalization import Normalization
from .operators import ColorOperator, EraseOperator, GeometricOperator, ImageInfo, Operator
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
    images = _color_in_sequence(inputs, draw, setting)
    images = warp_images(images, draw.matrix, draw.moved, setting.mask)
    return _erase(images, draw)


def summed(inputs: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """The sum of the colour operators' changes, then geometry and erasing as in sequence.

    The reference on dense tasks; see :func:`in_sequence` for the shapes.
    """
    images = _add_changes(inputs, draw, setting, ColorOperator)
    images = warp_images(images, draw.matrix, draw.moved, setting.mask)
    return _erase(images, draw)


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


def _color_in_sequence(inputs: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """Colour operators in sequence on values in [0, 1]; the change goes back to the input."""
    info = setting.info(inputs.shape[1])
    before = pixels = setting.normalization.to_unit(inputs)
    for i, operator, index in _acting(draw, ColorOperator):
        old = _take(pixels, index)
        level = _column(draw.levels, i, index)
        gate = _column(draw.gates, i, index)
        new = operator.apply(old, level.to(old.dtype), info.select(index))
        new = torch.lerp(old, new, gate.to(old.dtype))
        if index is None:
            pixels = new
        else:
            pixels = pixels.clone() if pixels is before else pixels
            pixels.index_copy_(0, index, new)
    if pixels is before:
        return inputs
    return inputs + setting.normalization.delta_to_input(pixels - before)


def _erase(images: Tensor, draw: Draw) -> Tensor:
    """Erase regions with 0, the network's mean colour."""
    height, width = images.shape[-2:]
    for i, operator, index in _acting(draw, EraseOperator):
        region = _region(operator, draw, i, index, height, width)
        gate = _column(draw.gates, i, index)
        kept = _take(images, index) * (1 - gate * region).to(images.dtype)
        images = kept if index is None else images.index_copy(0, index, kept)
    return images


def _add_changes(inputs: Tensor, draw: Draw, setting: Setting, family: type[Operator]) -> Tensor:
    """Add what each operator of a family changes on the input, times its gate."""
    unit, info = setting.normalization.to_unit(inputs), setting.info(inputs.shape[1])
    height, width = inputs.shape[-2:]
    result = inputs
    for i, operator, index in _acting(draw, family):
        images = _take(inputs, index)
        if isinstance(operator, ColorOperator):
            old = _take(unit, index)
            level = _column(draw.levels, i, index).to(old.dtype)
            new = operator.apply(old, level, info.select(index))
            change = setting.normalization.delta_to_input(new - old)
        elif isinstance(operator, GeometricOperator):
            level, extents = _take(draw.levels[:, i], index), _take(draw.extents, index)
            gate = torch.ones_like(level)[:, None]
            matrix = compose(
                (operator,), gate, level[:, None], extents, 'sequence', setting.coordinates
            )
            mask = None if setting.mask is None else _take(setting.mask, index)
            change = warp_images(images, matrix, None, mask) - images
        else:
            change = -images * _region(operator, draw, i, index, height, width).to(images.dtype)
        change = _column(draw.gates, i, index).to(change.dtype) * change
        result = result + change if index is None else result.index_add(0, index, change)
    if setting.clamp and result is not inputs:
        # A value that is outside already, by rounding, may stay where it is.
        low, high = setting.normalization.limits()
        result = result.clamp(torch.minimum(inputs, low), torch.maximum(inputs, high))
    return result


def _region(
    operator: Any, draw: Draw, i: int, index: Tensor | None, height: int, width: int
) -> Tensor:
    """(k, 1, height, width) region of operator i on the images at ``index``."""
    level = _take(draw.levels[:, i], index)
    positions, extents = _take(draw.positions, index), _take(draw.extents, index)
    return operator.region(level, positions, extents, height, width)


def _take(tensor: Tensor, index: Tensor | None) -> Tensor:
    """Rows at ``index``; all of them, without a copy, for None."""
    return tensor if index is None else tensor.index_select(0, index)


def _column(table: Tensor, i: int, index: Tensor | None) -> Tensor:
    """(B, N) -> (k, 1, 1, 1): operator i's values of the images at ``index``."""
    return _take(table[:, i], index)[:, None, None, None]


def _acting(draw: Draw, family: type[Operator]) -> Iterator[tuple[int, Any, Tensor | None]]:
    """Index, operator and images of the operators of a family that act on at least one image."""
    for i, (operator, index) in enumerate(zip(draw.operators, draw.samples, strict=True)):
        if isinstance(operator, family) and (index is None or index.numel()):
            yield i, operator, index
