"""Boxes, masks and label maps follow the map of a draw (method: labels follow the geometry).

All functions are batched over instances or images, carry no gradient, and return new tensors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .warp import is_identity, source_points


@torch.no_grad()
def move_points(points: Tensor, matrix: Tensor) -> Tensor:
    """Move points by the map of their image.

    Args:
        points: The x and y of each point in pixels, (n, k, 2).
        matrix: The forward map of each row's image, (n, 3, 3).

    Returns:
        The moved points, (n, k, 2), in the dtype of ``points``.
    """
    matrix = matrix.to(points.dtype)
    # A matrix product would be rounded, under mixed precision, to whole pixels and worse.
    return (points[:, :, None] * matrix[:, None, :2, :2]).sum(-1) + matrix[:, None, :2, 2]


@torch.no_grad()
def move_boxes(
    boxes: Tensor,
    matrix: Tensor,
    extents: Tensor,
    min_size: float = 1.0,
    min_visible: float = 0.1,
) -> tuple[Tensor, Tensor]:
    """Move boxes: four corners through the map, the upright box around them, cut to the image.

    Args:
        boxes: The corners x1, y1, x2, y2 in pixels, (n, 4).
        matrix: The forward map of each box's image, (n, 3, 3).
        extents: The height and width, in pixels, of the valid area of each box's image, (n, 2).
        min_size: The shortest side, in pixels, of a box that is kept. Defaults to 1.
        min_visible: The smallest part of the moved box, in [0, 1], that must lie inside the image.
            Defaults to 0.1.

    Returns:
        The moved boxes, (n, 4), and whether each is kept, (n,) bool. Where the map is the
        identity, boxes are kept as they are, whatever their size.
    """
    low, high = _around_moved(boxes, matrix)
    limit = extents.flip(-1).to(boxes.dtype)
    inside_low = torch.minimum(low.clamp(min=0), limit)
    inside_high = torch.minimum(high.clamp(min=0), limit)
    side = inside_high - inside_low
    visible = side.prod(-1) / (high - low).prod(-1).clamp(min=torch.finfo(boxes.dtype).eps)
    keep = (side.amin(-1) >= min_size) & (visible >= min_visible)
    still = is_identity(matrix)
    moved = torch.cat((inside_low, inside_high), dim=-1)
    return torch.where(still[:, None], boxes, moved), keep | still


@torch.no_grad()
def move_maps(maps: Tensor, matrix: Tensor, extents: Tensor, fill: int) -> Tensor:
    """Move label maps or binary masks by nearest sampling; no new value appears but ``fill``.

    Args:
        maps: The maps, (n, H, W) of any dtype: class ids, or instance masks as 0 and 1.
        matrix: The forward map of each map's image, (n, 3, 3), or one for all, (1, 3, 3).
        extents: The height and width of the valid area in pixels, (n, 2) or (1, 2). What lies
            outside of it is not sampled and stays as it is.
        fill: The value of pixels that come from outside: the ignore index, or 0 for masks.

    Returns:
        The moved maps, (n, H, W), in the same dtype.
    """
    # All but two passes have the size of the matrices, of which there may be one for all maps.
    index, outside = _source_pixels(matrix, extents, *maps.shape[-2:])
    moved = maps.flatten(1).gather(1, index.flatten(1).expand(len(maps), -1)).view_as(maps)
    return moved.masked_fill_(outside, fill)


@torch.no_grad()
def move_masks(
    masks: np.ndarray, kept: Sequence[int], matrix: Tensor, extents: Tensor
) -> np.ndarray:
    """Move instance masks on the host: what :func:`move_maps` gives, computed where they are.

    Most masks cover a small part of their image. Each is read once to find it, and only the region
    that it moves to is sampled.

    Args:
        masks: The masks of one image, (n, H, W), 0 outside of the instances.
        kept: The positions of the k masks that are moved; the others are left out.
        matrix: The forward map of the image, (1, 3, 3), on the host.
        extents: The height and width of the valid area in pixels, (1, 2), on the host.

    Returns:
        The moved masks, (k, H, W), in the same dtype; 0 comes from outside.
    """
    height, width = masks.shape[-2:]
    # Zeros of numpy take no time until they are written.
    moved = np.zeros((len(kept), height, width), masks.dtype)
    if not len(kept):
        return moved
    boxes = torch.tensor([_box_around(masks[i]) for i in kept], dtype=matrix.dtype)
    low, high = _around_moved(boxes, matrix.expand(len(kept), 3, 3))
    # What lies in the padding stays there.
    stays = (boxes[:, 2:] > extents.flip(-1)).any(1, keepdim=True)
    low = torch.where(stays, torch.minimum(low, boxes[:, :2]), low)
    high = torch.where(stays, torch.maximum(high, boxes[:, 2:]), high)
    # A pixel more on each side, as corners and pixels are rounded differently.
    limit = torch.tensor([width, height], dtype=matrix.dtype)
    low = torch.minimum((low.floor() - 1).clamp(min=0), limit)
    high = torch.minimum((high.ceil() + 1).clamp(min=0), limit)
    index, outside = (part[0].numpy() for part in _source_pixels(matrix, extents, height, width))
    for new, i, (x1, y1, x2, y2) in zip(
        moved, kept, torch.cat((low, high), 1).int().tolist(), strict=True
    ):
        region = slice(y1, y2), slice(x1, x2)
        new[region] = np.where(outside[region], 0, masks[i].take(index[region]))
    return moved


@torch.no_grad()
def move_keypoints(points: Tensor, matrix: Tensor, extents: Tensor) -> tuple[Tensor, Tensor]:
    """Move key points, and tell which of them are inside the valid area.

    Args:
        points: The x and y of each point in pixels, (n, k, 2).
        matrix: The forward map of each row's image, (n, 3, 3).
        extents: The height and width, in pixels, of the valid area of each row's image, (n, 2).

    Returns:
        The moved points, (n, k, 2), and whether each lies inside the valid area, (n, k) bool.
    """
    moved = move_points(points, matrix)
    limit = extents.flip(-1)[:, None].to(moved.dtype)
    return moved, ((moved >= 0) & (moved < limit)).all(-1)


def at_scale(matrix: Tensor, extents: Tensor, scale: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Give the motion of a label map whose resolution is not that of the image.

    Args:
        matrix: The forward maps in pixels of the image, (n, 3, 3).
        extents: The height and width of the valid area in pixels of the image, (n, 2).
        scale: The rows and the columns of the label map for each row and column of the image.

    Returns:
        The forward maps and the extents in pixels of the label map; extents are rounded up.
    """
    if scale == (1.0, 1.0):
        return matrix, extents
    rows, columns = scale
    ratio = matrix.new_ones(3, 3)
    ratio[0] *= columns
    ratio[1] *= rows
    ratio[:, 0] /= columns
    ratio[:, 1] /= rows
    size = torch.stack((extents[:, 0] * rows, extents[:, 1] * columns), dim=1)
    return matrix * ratio, size.ceil()


def _around_moved(boxes: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The corners of the upright boxes around moved boxes, (n, 4): low and high x and y, (n, 2)."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    corners = torch.stack((x1, y1, x2, y1, x2, y2, x1, y2), dim=-1).view(-1, 4, 2)
    corners = move_points(corners, matrix)
    return corners.amin(1), corners.amax(1)


def _source_pixels(
    matrix: Tensor, extents: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """Which pixel, counted row by row, each pixel comes from, and whether it is outside.

    Both are (n, H, W), for n maps and extents. Padding comes from itself.
    """
    x, y = source_points(matrix, height, width).floor().unbind(-1)
    rows, columns = extents[:, 0, None, None], extents[:, 1, None, None]
    outside = (x < 0) | (x >= columns) | (y < 0) | (y >= rows)
    own_y = torch.arange(height, device=matrix.device)[:, None]
    own_x = torch.arange(width, device=matrix.device)
    padding = (own_y >= rows) | (own_x >= columns)
    index = (y * width + x).clamp_(0, height * width - 1).long()
    return torch.where(padding, own_y * width + own_x, index), outside & ~padding


def _box_around(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The corners x1, y1, x2, y2 of what a mask, (H, W), covers; all 0 where that is nothing."""
    columns = np.flatnonzero(mask.max(0))
    if not len(columns):
        return 0, 0, 0, 0
    x1, x2 = int(columns[0]), int(columns[-1]) + 1
    rows = np.flatnonzero(mask[:, x1:x2].max(1))
    return x1, int(rows[0]), x2, int(rows[-1]) + 1
