"""How the operators of a draw act together in the paper's code: as a sum of changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tst_mm.augment.composition import Setting, in_sequence, move_and_erase
from tst_mm.augment.draw import Draw, Part
from tst_mm.augment.operators import ColorOperator, GeometricOperator, ImageInfo, Operator
from tst_mm.augment.rows import Rows, take
from tst_mm.augment.warp import warp_images

from .maps import compose
from .relaxed_draw import GatedPart


class UnlimitedInfo(ImageInfo):
    """What colour operators are told about images whose colours may leave the range."""

    def limited(self, images: Tensor) -> Tensor:
        """Leave values as they are."""
        return images


@dataclass(frozen=True)
class PaperSetting(Setting):
    """What is known of a batch beside its draw, with the switches of the published form.

    Attributes:
        clamp (bool): Whether colours are kept in the range of an image.
        coordinates (str): The coordinates that single geometric operators act on; see
            :func:`tst_mm.paper.maps.compose`.
    """

    clamp: bool
    coordinates: str

    def info(self, channels: int) -> ImageInfo:
        """What colour operators are told; their results are limited only where ``clamp`` is set."""
        info = super().info(channels)
        return info if self.clamp else UnlimitedInfo(**vars(info))


def summed(inputs: Tensor, draw: Draw, setting: PaperSetting) -> Tensor:
    """Add up the changes of the colour operators, then move and erase as in sequence.

    This is the reference on dense tasks; see :func:`tst_mm.augment.composition.in_sequence` for
    the shapes.
    """
    colored = _add_changes(inputs, draw, setting, ColorOperator)
    return move_and_erase(Rows(colored), draw, setting)


def residual(inputs: Tensor, draw: Draw, setting: PaperSetting) -> Tensor:
    """Add up the changes of all operators, ``x + sum of g_i (T_i(x) - x)``; moved copies overlay.

    This is the reference on classification; see
    :func:`tst_mm.augment.composition.in_sequence` for the shapes.
    """
    return _add_changes(inputs, draw, setting, Operator)


COMPOSITIONS: dict[str, Callable[[Tensor, Draw, PaperSetting], Tensor]] = {
    'sequence': in_sequence,
    'summed': summed,
    'residual': residual,
}


def _add_changes(
    inputs: Tensor, draw: Draw, setting: PaperSetting, family: type[Operator]
) -> Tensor:
    """Add what each operator of a family changes on the input, times its gate."""
    unit, info = Rows(setting.normalization.to_unit(inputs)), setting.info(inputs.shape[1])
    given, result = Rows(inputs), Rows(inputs)
    for part in draw.parts(family, inputs.device):
        images = given.take(part.images)
        if isinstance(part.operator, ColorOperator):
            old = unit.take(part.images)
            new = part.operator.apply(old, part.level.to(old.dtype), info.select(part.images))
            change = setting.normalization.delta_to_input(new - old)
        elif isinstance(part.operator, GeometricOperator):
            level = part.level.flatten()
            extents = take(draw.extents.to(level.device, non_blocking=True), part.images)
            gate = torch.ones_like(level)[:, None]
            matrix = compose(
                (part.operator,), gate, level[:, None], extents, 'sequence', setting.coordinates
            )
            mask = None if setting.mask is None else take(setting.mask, part.images)
            change = warp_images(images, matrix, mask) - images
        else:
            change = -images * Part.erased(part, draw, *images.shape[-2:]).to(images.dtype)
        if isinstance(part, GatedPart):
            change = part.gate.to(change.dtype) * change
        result.put(part.images, result.take(part.images) + change)
    if setting.clamp and (whole := result.whole()) is not inputs:
        # A value that rounding has put outside already may stay where it is.
        low, high = setting.normalization.limits()
        return whole.clamp(torch.minimum(inputs, low), torch.maximum(inputs, high))
    return result.whole()
