"""Sampling images through the map of a draw, and the geometry that images and labels share.

Coordinates are in pixels from the top left corner; pixel i covers [i, i + 1], so its centre is at
i + 0.5. This is the convention of boxes in mmdet and of ``grid_sample(align_corners=False)``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def valid_mask(extents: Tensor, height: int, width: int) -> Tensor:
    """(B, 2) valid heights and widths -> (B, 1, H, W) bool, True inside."""
    rows = torch.arange(height, device=extents.device) < extents[:, :1]
    columns = torch.arange(width, device=extents.device) < extents[:, 1:]
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def is_identity(matrix: Tensor) -> Tensor:
    """(n, 3, 3) maps -> (n,) bool, True where nothing moves."""
    eye = torch.eye(3, dtype=matrix.dtype, device=matrix.device)
    return (matrix == eye).flatten(1).all(1)


def source_points(
    matrix: Tensor, height: int, width: int, unit: tuple[float, float] | None = None
) -> Tensor:
    """Where each destination pixel's centre comes from.

    Args:
        matrix: (B, 3, 3) forward maps, source to destination.
        height: Rows H of the destination.
        width: Columns W of the destination.
        unit: x and y of the source's centre, in which the points are then given, as seen
            from there; None gives them in pixels from the top left corner.

    Returns:
        (B, H, W, 2) x and y in the source, differentiable in ``matrix``.
    """
    x = torch.arange(0.5, width, dtype=matrix.dtype, device=matrix.device)
    y = torch.arange(0.5, height, dtype=matrix.dtype, device=matrix.device)
    # inv_ex does not wait for the device to check for singular maps, which do not occur.
    inverse = torch.linalg.inv_ex(matrix).inverse[:, :2]
    if unit is not None:
        inverse = torch.stack((inverse[:, 0] / unit[0], inverse[:, 1] / unit[1]), dim=1)
    along_x = x[:, None] * inverse[:, None, None, :, 0]
    along_y = y[:, None] * inverse[:, None, None, :, 1] + (
        inverse[:, None, None, :, 2] - float(unit is not None)
    )
    return along_x + along_y.transpose(1, 2)


def warp_images(
    images: Tensor, matrix: Tensor, mask: Tensor | None = None, may_stay: bool = True
) -> Tensor:
    """Sample images once, bilinearly; what comes from outside is 0, the network's mean colour.

    Args:
        images: (B, C, H, W), float32 or float64.
        matrix: (B, 3, 3) forward maps.
        mask: (B, 1, H, W) bool, False in the padding, which is not sampled.
        may_stay: Whether there may be identities among the maps (default); their images are
            returned unchanged.

    Returns:
        (B, C, H, W), differentiable in ``images`` and ``matrix``.
    """
    sampled = sample_images(images if mask is None else images * mask, matrix)
    if not may_stay:
        return sampled
    return torch.where(is_identity(matrix)[:, None, None, None], images, sampled)


def sample_images(images: Tensor, matrix: Tensor) -> Tensor:
    """Sample images once, bilinearly; what comes from outside is 0.

    Args:
        images: (B, C, H, W), float32 or float64.
        matrix: (B, 3, 3) forward maps.

    Returns:
        (B, C, H, W), differentiable in ``images`` and ``matrix``.
    """
    height, width = images.shape[-2:]
    # grid_sample's coordinates reach from -1 to 1.
    grid = source_points(matrix, height, width, (width / 2, height / 2)).to(images.dtype)
    return F.grid_sample(images, grid, 'bilinear', 'zeros', align_corners=False)
