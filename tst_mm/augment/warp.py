"""Sampling images through the map of a draw, and the geometry that images and labels share.

Coordinates are in pixels from the top left corner; pixel i covers [i, i + 1], so its centre is at
i + 0.5. This is the convention of boxes in mmdet and of ``grid_sample(align_corners=False)``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .rows import send


def valid_mask(extents: Tensor, height: int, width: int) -> Tensor:
    """Masks of the valid areas, (B, 1, H, W) bool, True inside, from (B, 2) heights and widths."""
    rows = torch.arange(height, device=extents.device) < extents[:, :1]
    columns = torch.arange(width, device=extents.device) < extents[:, 1:]
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def is_identity(matrix: Tensor) -> Tensor:
    """Whether each map, (n, 3, 3), moves nothing: (n,) bool."""
    eye = torch.eye(3, dtype=matrix.dtype, device=matrix.device)
    return (matrix == eye).flatten(1).all(1)


def source_points(
    matrix: Tensor, height: int, width: int, unit: tuple[float, float] | None = None
) -> Tensor:
    """Find where the centre of each destination pixel comes from.

    Args:
        matrix: The forward maps, (B, 3, 3), from source to destination.
        height: The height H of the destination in pixels.
        width: The width W of the destination in pixels.
        unit: The x and y, in pixels, of the source's centre: points are then given as seen from
            there and in parts of it, -1 to 1. None (default) gives them in pixels from the top
            left corner.

    Returns:
        The x and y in the source, (B, H, W, 2), differentiable in ``matrix``.
    """
    along_x, along_y = _along_axes(matrix, height, width, unit)
    return _outer_sum(along_x, along_y)


def warp_images(
    images: Tensor, matrix: Tensor, mask: Tensor | None = None, may_stay: bool = True
) -> Tensor:
    """Sample images once, bilinearly; what comes from outside is 0, the network's mean colour.

    Args:
        images: The images, (B, C, H, W), float32 or float64.
        matrix: The forward maps, (B, 3, 3), from source to destination, on the device of the
            images or, which costs fewer launches, on the host.
        mask: The valid areas, (B, 1, H, W) bool, False in the padding, which is not sampled. None
            (default) where nothing is padded.
        may_stay: Whether there may be identities among the maps, whose images are returned
            unchanged. Defaults to True.

    Returns:
        The sampled images, (B, C, H, W), differentiable in ``images`` and ``matrix``.
    """
    sampled = sample_images(images if mask is None else images * mask, matrix)
    if not may_stay:
        return sampled
    still = is_identity(matrix).to(images.device, non_blocking=True)
    return torch.where(still[:, None, None, None], images, sampled)


def sample_images(images: Tensor, matrix: Tensor) -> Tensor:
    """Sample images once, bilinearly; what comes from outside is 0.

    Args:
        images: The images, (B, C, H, W), float32 or float64.
        matrix: The forward maps, (B, 3, 3), from source to destination, on the device of the
            images or, which costs fewer launches, on the host.

    Returns:
        The sampled images, (B, C, H, W), differentiable in ``images`` and ``matrix``.
    """
    height, width = images.shape[-2:]
    # grid_sample's coordinates reach from -1 to 1.
    axes = _along_axes(matrix, height, width, (width / 2, height / 2))
    grid = _outer_sum(*send(axes, images.device)).to(images.dtype)
    return F.grid_sample(images, grid, 'bilinear', 'zeros', align_corners=False)


def _along_axes(
    matrix: Tensor, height: int, width: int, unit: tuple[float, float] | None
) -> tuple[Tensor, Tensor]:
    """What the columns, (B, W, 2), and the rows, (B, H, 2), add to the points of the source."""
    x = torch.arange(0.5, width, dtype=matrix.dtype, device=matrix.device)
    y = torch.arange(0.5, height, dtype=matrix.dtype, device=matrix.device)
    # inv_ex does not wait for the device to check for singular maps, which do not occur.
    inverse = torch.linalg.inv_ex(matrix).inverse[:, :2]
    if unit is not None:
        inverse = torch.stack((inverse[:, 0] / unit[0], inverse[:, 1] / unit[1]), dim=1)
    along_x = x[:, None] * inverse[:, None, :, 0]
    along_y = y[:, None] * inverse[:, None, :, 1] + (
        inverse[:, None, :, 2] - float(unit is not None)
    )
    return along_x, along_y


def _outer_sum(along_x: Tensor, along_y: Tensor) -> Tensor:
    """(B, W, 2) and (B, H, 2) -> (B, H, W, 2)."""
    # As complex numbers: a last axis of two is ten times as slow to broadcast over on a CPU.
    along_x, along_y = (torch.view_as_complex(axis.contiguous()) for axis in (along_x, along_y))
    return torch.view_as_real(along_x[:, None] + along_y[:, :, None])
