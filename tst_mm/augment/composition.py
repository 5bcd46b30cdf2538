"""How the operators of a draw act together on a batch: colours, then one map, then erasing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .draw import Draw
from .normalization import Normalization
from .operators import ColorOperator, EraseOperator, ImageInfo
from .rows import Rows, Selection, select, send, take
from .warp import is_identity, warp_images


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
    rows = Rows(inputs)
    _color_in_sequence(rows, draw, setting)
    return move_and_erase(rows, draw, setting)


def move_and_erase(rows: Rows, draw: Draw, setting: Setting) -> Tensor:
    """Sample through the maps of the draw, then erase with 0, the network's mean colour.

    Args:
        rows: The images.
        draw: What was drawn for them.
        setting: What else is known of the batch.

    Returns:
        The changed images, (B, C, H, W).
    """
    images, may_stay, matrix = draw.moved_images, draw.may_stay, draw.matrix
    if may_stay and matrix.device.type == 'cpu' and not torch.compiler.is_compiling():
        # Which of the maps are identities is known here without waiting.
        still = is_identity(matrix).tolist()
        images, may_stay = tuple(i for i in images if not still[i]), False
    if images:
        mask, moved = setting.mask, select(images, len(draw), rows.device)
        if moved is not None:
            matrix = take(matrix, select(images, len(draw), matrix.device))
            mask = None if mask is None else take(mask, moved)
        rows.put(moved, warp_images(rows.take(moved), matrix, mask, may_stay))
    # What is erased is known on the host; only its picture goes to the device.
    for part in draw.parts(EraseOperator, draw.levels.device):
        kept = 1 - part.erased(draw, *rows.size).to(rows.dtype)
        if part.images is None:
            chosen, (kept,) = None, send([kept], rows.device)
        else:
            kept, index = send([kept, part.images.index], rows.device)
            chosen = Selection(part.images.positions, index)
        rows.put(chosen, rows.take(chosen) * kept)
    return rows.whole()


def _color_in_sequence(rows: Rows, draw: Draw, setting: Setting) -> None:
    """Apply colour operators in sequence, on values in [0, 1], to the images they act on."""
    touched = draw.acted_on_by(ColorOperator)
    if not touched:
        return
    # Where few images are left as they are, all are taken, and those put back.
    left = set(range(len(draw))).difference(touched)
    most = not rows.apart and len(left) < len(touched)
    inputs = rows.whole()
    chosen = None if most else select(touched, len(draw), rows.device)
    parts = draw.parts(ColorOperator, rows.device, None if most else touched)
    images = rows.take(chosen)
    info = setting.info(images.shape[1]).select(chosen)
    pixels = Rows(setting.normalization.to_unit(images), own=True)
    for part in parts:
        new = part.recolor(pixels.take(part.images), info.select(part.images))
        pixels.put(part.images, new)
    rows.put(chosen, setting.normalization.from_unit(pixels.whole(), pixels.own), own=True)
    if most and left:
        stay = select(sorted(left), len(draw), rows.device)
        rows.put(stay, take(inputs, stay))
