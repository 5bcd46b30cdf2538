"""Boxes, masks and label maps follow the map of a draw (method: labels follow the geometry).

All functions are batched over instances or images, carry no gradient, and return new tensors.
"""

from __future__ import annotations

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
    x1, y1, x2, y2 = boxes.unbind(-1)
    corners = torch.stack((x1, y1, x2, y1, x2, y2, x1, y2), dim=-1).view(-1, 4, 2)
    corners = move_points(corners, matrix)
    low, high = corners.amin(1), corners.amax(1)
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
    height, width = maps.shape[-2:]
    x, y = source_points(matrix, height, width).floor().unbind(-1)
    rows, columns = extents[:, 0, None, None], extents[:, 1, None, None]
    outside = (x < 0) | (x >= columns) | (y < 0) | (y >= rows)
    # All but two passes have the size of the matrices, of which there may be one for all maps.
    own_y = torch.arange(height, device=maps.device)[:, None]
    own_x = torch.arange(width, device=maps.device)
    padding = (own_y >= rows) | (own_x >= columns)
    index = (y * width + x).clamp_(0, height * width - 1).long()
    index = torch.where(padding, own_y * width + own_x, index)
    moved = maps.flatten(1).gather(1, index.flatten(1).expand(len(maps), -1)).view_as(maps)
    return moved.masked_fill_(outside & ~padding, fill)


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
