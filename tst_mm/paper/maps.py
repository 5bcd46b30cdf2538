"""Maps of a draw as the paper's code composes them: sums of matrices, normalised coordinates."""

from __future__ import annotations

import torch
from torch import Tensor

from tst_mm.augment.draw import compose as compose_products
from tst_mm.augment.draw import from_centre
from tst_mm.augment.operators import GeometricOperator, Operator


def compose(
    operators: tuple[Operator, ...],
    gates: Tensor,
    levels: Tensor,
    extents: Tensor,
    composition: str = 'sequence',
    coordinates: str = 'pixel',
) -> Tensor:
    """Compose the geometric operators into one map; see :func:`tst_mm.augment.draw.compose`.

    Args:
        operators: All N operators.
        gates: The gates, (B, N) in [0, 1].
        levels: The operator levels, (B, N) in [-1, 1].
        extents: The height and width of the valid areas in pixels, (B, 2).
        composition: How maps are composed. ``'sequence'`` (default): the product, in index order.
            ``'summed'`` (the reference on dense tasks): ``I + sum of g (A - I)`` over the inverse
            maps, from destination to source, which a sampling grid is made of.
        coordinates: The coordinates that operators act on: ``'pixel'`` (default), or
            ``'normalised'`` (the reference), from -1 to 1, so that a rotation shears where the
            area is not square.
    """
    if composition == 'sequence' and coordinates == 'pixel':
        return compose_products(operators, gates, levels, extents)
    eye = torch.eye(3, dtype=levels.dtype, device=levels.device)
    offset = torch.zeros_like(eye).expand(len(levels), 3, 3)
    with torch.autocast(levels.device.type, enabled=False):
        for i, operator in enumerate(operators):
            if isinstance(operator, GeometricOperator):
                step = _offset(operator, levels[:, i], extents, coordinates, eye)
                gate = gates[:, i, None, None]
                if composition == 'summed':
                    offset = offset + gate * (torch.linalg.inv_ex(step + eye).inverse - eye)
                else:
                    step = gate * step
                    offset = offset + step + step @ offset
        if composition == 'summed':
            offset = torch.linalg.inv_ex(offset + eye).inverse - eye
        return from_centre(offset, extents, eye)


def _offset(
    operator: GeometricOperator, level: Tensor, extents: Tensor, coordinates: str, eye: Tensor
) -> Tensor:
    """An operator's map about the centre, in pixels, less the identity, (n, 3, 3)."""
    if coordinates == 'pixel':
        return operator.matrix(level, extents) - eye
    offset = operator.matrix(level, torch.full_like(extents, 2.0)) - eye
    half = torch.cat((extents.flip(1) / 2, torch.ones_like(extents[:, :1])), dim=1)
    return offset * (half[:, :, None] / half[:, None, :]).to(offset.dtype)
