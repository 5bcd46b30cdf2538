"""How the operators of a draw act together on a batch: colours, then one map, then erasing."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .draw import Draw
from .normalization import Normalization
from .operators import ColorOperator, EraseOperator, ImageInfo
from .rows import Rows, take
from .warp import warp_images


@dataclass(frozen=True)
class Setting:
    """What is known of a batch beside its draw.

    Attributes:
        normalization (Normalization): The normalisation of the batch.
        mask (Tensor, optional): The valid areas, (B, 1, H, W) bool, False in the padding; None
            where nothing is padded.
    """

    normalization: Normalization
    mask: Tensor | None

    def info(self, channels: int) -> ImageInfo:
        """What colour operators are told about images with this number of channels."""
        normalization = self.normalization
        return ImageInfo(normalization.luma(channels), self.mask, normalization.channel_order)


def in_sequence(inputs: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """Apply colour operators one after the other, then all geometry as one map, then erasing.

    Args:
        inputs: The normalised images, (B, C, H, W).
        draw: What was drawn for these B images.
        setting: What else is known of the batch.

    Returns:
        The changed images, in the same shape; their padding is not restored.
    """
    return move_and_erase(_color_in_sequence(inputs, draw, setting), draw, setting)


def move_and_erase(images: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """Sample through the maps of the draw, then erase with 0, the network's mean colour.

    See :func:`in_sequence` for the shapes.
    """
    rows = Rows(images)
    if draw.moved_images:
        moved = None if len(draw.moved_images) == len(draw) else draw.moved_images
        mask = None if setting.mask is None else take(setting.mask, moved)
        source, matrix = rows.take(moved), take(draw.matrix, moved)
        rows.put(moved, warp_images(source, matrix, mask, may_stay=draw.may_stay))
    for part in draw.parts(EraseOperator):
        kept = 1 - part.erased(draw, *images.shape[-2:])
        rows.put(part.images, rows.take(part.images) * kept.to(images.dtype))
    return rows.whole()


def _color_in_sequence(inputs: Tensor, draw: Draw, setting: Setting) -> Tensor:
    """Apply colour operators in sequence to values in [0, 1]; add the change to the input."""
    parts = draw.parts(ColorOperator)
    if not parts:
        return inputs
    info = setting.info(inputs.shape[1])
    before = setting.normalization.to_unit(inputs)
    pixels = Rows(before)
    for part in parts:
        new = part.recolor(pixels.take(part.images), info.select(part.images))
        pixels.put(part.images, new)
    return inputs + setting.normalization.delta_to_input(pixels.whole() - before)
