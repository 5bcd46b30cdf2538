"""Draw: everything random about one augmented batch, so that it can be replayed and printed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .operators import GeometricOperator, Operator


@dataclass(frozen=True)
class Draw:
    """What was drawn for a batch of B images and N operators.

    Attributes:
        operators (tuple[Operator]): The N operators in index order.
        gates (Tensor): (B, N) in [0, 1]; 0 where an operator was not drawn.
        levels (Tensor): (B, N) magnitude times sign, in [-1, 1].
        positions (Tensor): (B, 2) y and x in [0, 1] for operators that erase a region.
        sizes (tuple[tuple[int, int]]): Height and width of each image's valid area in pixels.
        extents (Tensor): (B, 2) the same, on the device of the draw.
        samples (tuple[tuple[int, ...] | None]): Per operator the images it acts on; None when it
            acts on all. Known on the host, so that nothing waits for the device.
        matrix (Tensor): (B, 3, 3) composed forward map, source to destination, on (x, y, 1) in
            pixels from the top left corner; pixel i covers [i, i + 1]. The identity where there is
            no one map, because moved copies overlay each other (composition ``'residual'``).
        moved_images (tuple[int]): The images that a geometric operator acts on: whose labels move.
        relaxed (bool): Whether gates may be other than 0 and 1. Defaults to True.
    """

    operators: tuple[Operator, ...]
    gates: Tensor
    levels: Tensor
    positions: Tensor
    sizes: tuple[tuple[int, int], ...]
    extents: Tensor
    samples: tuple[tuple[int, ...] | None, ...]
    matrix: Tensor
    moved_images: tuple[int, ...]
    relaxed: bool = True

    def __len__(self) -> int:
        return self.gates.shape[0]

    def to(self, device: torch.device | str) -> Draw:
        """The same draw on another device, without waiting for it."""
        tensors: dict[str, Any] = {
            name: value.to(device, non_blocking=True)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **tensors)

    def detach(self) -> Draw:
        """The same draw, cut from the policy: for labels, pictures and replays."""
        tensors: dict[str, Any] = {
            name: value.detach() for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **tensors)

    def describe(self, image: int) -> str:
        """What happens to one image, in physical values: ``'Rotate -12.3 degrees, Invert'``.

        Gates below one half are left out. Reads values on the host: for pictures and logs.
        """
        gates, levels = self.gates[image].tolist(), self.levels[image].tolist()
        words = [
            describe_operator(operator, level)
            for operator, gate, level in zip(self.operators, gates, levels, strict=True)
            if gate > 0.5
        ]
        return ', '.join(words) or 'unchanged'


def describe_operator(operator: Operator, level: float) -> str:
    """One operator at one level in words, for example ``'Rotate -12.3 degrees'``."""
    if not operator.has_magnitude:
        return operator.name
    sign = '+' if operator.signed else ''
    return f'{operator.name} {operator.physical(level):{sign}.3g} {operator.unit}'.rstrip()


def compose(
    operators: tuple[Operator, ...],
    gates: Tensor,
    levels: Tensor,
    extents: Tensor,
    composition: str = 'sequence',
    coordinates: str = 'pixel',
) -> Tensor:
    """Compose the geometric operators into one map.

    A gate g turns an operator's matrix A into ``I + g (A - I)``.

    Args:
        operators: All N operators.
        gates: (B, N) in [0, 1].
        levels: (B, N) in [-1, 1].
        extents: (B, 2) height and width of the valid area in pixels.
        composition: ``'sequence'`` (default): the product, in index order. ``'summed'`` (the
            reference on dense tasks): ``I + sum of g (A - I)`` over the ways back, from destination
            to source, which is what a sampling grid is made of.
        coordinates: ``'pixel'`` (default), or ``'normalised'`` (the reference): operators act on
            coordinates from -1 to 1, so that a rotation shears where the area is not square.

    Returns:
        (B, 3, 3) forward maps in pixels from the top left corner, differentiable in gates and
        levels; exactly the identity where all gates are 0.
    """
    eye = torch.eye(3, dtype=levels.dtype, device=levels.device)
    offset = torch.zeros_like(eye).expand(len(levels), 3, 3)
    # Mixed precision would round pixel coordinates to 8 or 11 bits.
    with torch.autocast(levels.device.type, enabled=False):
        for i, operator in enumerate(operators):
            if isinstance(operator, GeometricOperator):
                # Kept as the distance from the identity: exactly zero stays exactly zero.
                step = _offset(operator, levels[:, i], extents, coordinates, eye)
                gate = gates[:, i, None, None]
                if composition == 'summed':
                    offset = offset + gate * (torch.linalg.inv_ex(step + eye).inverse - eye)
                else:
                    step = gate * step
                    offset = offset + step + step @ offset
        if composition == 'summed':
            offset = torch.linalg.inv_ex(offset + eye).inverse - eye
        # About the centre c: x -> A (x - c) + c, that is I + offset with a moved last column.
        linear = offset[:, :2, :2]
        centre = extents.flip(1)[..., None].to(linear.dtype) / 2
        shift = offset[:, :2, 2:] - linear @ centre
        upper = torch.cat((linear, shift), dim=2)
        return eye + torch.cat((upper, torch.zeros_like(upper[:, :1])), dim=1)


def _offset(
    operator: GeometricOperator, level: Tensor, extents: Tensor, coordinates: str, eye: Tensor
) -> Tensor:
    """(n, 3, 3) distance of an operator's map about the centre, in pixels, from the identity."""
    if coordinates == 'pixel':
        return operator.matrix(level, extents) - eye
    offset = operator.matrix(level, torch.full_like(extents, 2.0)) - eye
    half = torch.cat((extents.flip(1) / 2, torch.ones_like(extents[:, :1])), dim=1)
    return offset * (half[:, :, None] / half[:, None, :]).to(offset.dtype)
