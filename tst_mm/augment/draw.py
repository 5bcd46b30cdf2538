"""Draw: everything random about one augmented batch, so that it can be replayed and printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from .operators import ColorOperator, GeometricOperator, ImageInfo, Operator
from .rows import take


@dataclass(frozen=True)
class Noise:
    """The random numbers of a draw, on the host, before the policy has a say.

    The first axis has one row an image, or one row for all of them.

    Attributes:
        drawn (Tensor): (R, N) bool, which operators are considered for an image.
        gates (Tensor): (R, N) uniform in (0, 1), for the gates.
        signs (Tensor): (R, N) 1 or -1; 1 for operators that are not signed.
        positions (Tensor): (B, 2) uniform in [0, 1], for operators that erase a region.
    """

    drawn: Tensor
    gates: Tensor
    signs: Tensor
    positions: Tensor


@dataclass(frozen=True)
class Part:
    """What one operator does to the k images that it acts on.

    Attributes:
        operator (Any): The operator.
        images (tuple[int, ...] | None): Their positions in the batch; None means all.
        level (Tensor): (k, 1, 1, 1).
    """

    operator: Any
    images: tuple[int, ...] | None
    level: Tensor

    def recolor(self, pixels: Tensor, info: ImageInfo) -> Tensor:
        """(k, C, H, W) values in [0, 1] -> the same after a colour operator."""
        assert isinstance(self.operator, ColorOperator)
        return self.operator.apply(pixels, self.level.to(pixels.dtype), info)

    def erased(self, draw: Draw, height: int, width: int) -> Tensor:
        """(k, 1, H, W) how much an erasing operator takes away, in [0, 1]."""
        positions, extents = take(draw.positions, self.images), take(draw.extents, self.images)
        return self.operator.region(self.level.flatten(), positions, extents, height, width)


@dataclass(frozen=True)
class Draw:
    """What was drawn for a batch of B images and N operators.

    Gates and magnitudes stay on the host, where they are drawn and read; the other tensors go to
    the device of the images.

    Attributes:
        operators (tuple[Operator]): The N operators in index order.
        gates (Tensor): (B, N) 1 where an operator acts on an image, else 0.
        magnitudes (Tensor): (B, N) in [0, 1], drawn for all operators, whether they act or not; 1
            for operators without a magnitude.
        levels (Tensor): (B, N) magnitude times sign, in [-1, 1].
        positions (Tensor): (B, 2) y and x in [0, 1] for operators that erase a region.
        sizes (tuple[tuple[int, int]]): Height and width of each image's valid area in pixels.
        extents (Tensor): (B, 2) the same, on the device of the draw.
        acted_on (tuple[tuple[int, ...] | None]): Per operator the images that it acts on; None
            when it acts on all. Known on the host, so that nothing waits for the device.
        matrix (Tensor): (B, 3, 3) composed forward map, source to destination, on (x, y, 1) in
            pixels from the top left corner; pixel i covers [i, i + 1].
        moved_images (tuple[int]): The images whose pixels, and so labels, move.
    """

    operators: tuple[Operator, ...]
    gates: Tensor
    magnitudes: Tensor
    levels: Tensor
    positions: Tensor
    sizes: tuple[tuple[int, int], ...]
    extents: Tensor
    acted_on: tuple[tuple[int, ...] | None, ...]
    matrix: Tensor
    moved_images: tuple[int, ...]

    #: Tensors that never leave the host.
    host_only: ClassVar[tuple[str, ...]] = ('gates', 'magnitudes')
    #: Whether a map among those of ``moved_images`` may be the identity.
    may_stay: ClassVar[bool] = False

    def __len__(self) -> int:
        return self.gates.shape[0]

    def to(self, device: torch.device | str) -> Draw:
        """The same draw for images on another device, without waiting for it."""
        tensors: dict[str, Any] = {
            name: value.to(device, non_blocking=True)
            for name, value in vars(self).items()
            if isinstance(value, Tensor) and name not in self.host_only
        }
        return replace(self, **tensors)

    def parts(self, family: type[Operator]) -> Sequence[Part]:
        """The operators of a family that act on at least one image, in index order."""
        return [Part(*cells) for cells in self.cells(family, self.levels)]

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

    def cells(self, family: type[Operator], *tables: Tensor) -> list[tuple[Any, ...]]:
        """What tables hold for the operators of a family that act.

        Args:
            family: Of the operators.
            tables: (B, N), on one device.

        Returns:
            Per operator that acts on at least one image: the operator, the images that it acts on,
            and the (k, 1, 1, 1) values of each table.
        """
        acting = [
            (i, images)
            for i, images in enumerate(self.acted_on)
            if isinstance(self.operators[i], family) and images != ()
        ]
        if not acting:
            return []
        # One gather for all operators, and one scatter in its backward.
        every, count = range(len(self)), len(self.operators)
        index = [[b * count + i for b in (every if on is None else on)] for i, on in acting]
        where = torch.tensor(sum(index, [])).to(tables[0].device, non_blocking=True)
        columns = [
            table.flatten().index_select(0, where).view(-1, 1, 1, 1).split([len(c) for c in index])
            for table in tables
        ]
        return [
            (self.operators[i], images, *values)
            for (i, images), *values in zip(acting, *columns, strict=True)
        ]


def describe_operator(operator: Operator, level: float) -> str:
    """One operator at one level in words, for example ``'Rotate -12.3 degrees'``."""
    if not operator.has_magnitude:
        return operator.name
    sign = '+' if operator.signed else ''
    return f'{operator.name} {operator.physical(level):{sign}.3g} {operator.unit}'.rstrip()


def true_positions(column: Sequence[bool]) -> tuple[int, ...]:
    """Where a list is True."""
    return tuple(i for i, here in enumerate(column) if here)


def compose(
    operators: tuple[Operator, ...], gates: Tensor, levels: Tensor, extents: Tensor
) -> Tensor:
    """Compose the geometric operators into one map: their product, in index order.

    A gate g turns an operator's matrix A into ``I + g (A - I)``.

    Args:
        operators: All N operators.
        gates: (B, N) in [0, 1].
        levels: (B, N) in [-1, 1].
        extents: (B, 2) height and width of the valid area in pixels.

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
                step = gates[:, i, None, None] * (operator.matrix(levels[:, i], extents) - eye)
                offset = offset + step + step @ offset
        return from_centre(offset, extents, eye)


def from_centre(offset: Tensor, extents: Tensor, eye: Tensor) -> Tensor:
    """Maps about the centre c of the valid area: x -> A (x - c) + c.

    Args:
        offset: (B, 3, 3) A less the identity, in pixels with the origin at the centre.
        extents: (B, 2) height and width of the valid area in pixels.
        eye: (3, 3) the identity, like ``offset``.

    Returns:
        (B, 3, 3) the maps in pixels from the top left corner.
    """
    # That is I + offset with a moved last column.
    linear = offset[:, :2, :2]
    centre = extents.flip(1)[..., None].to(linear.dtype) / 2
    shift = offset[:, :2, 2:] - linear @ centre
    upper = torch.cat((linear, shift), dim=2)
    return eye + torch.cat((upper, torch.zeros_like(upper[:, :1])), dim=1)


def hard_gate(logit: Tensor, uniform: Tensor) -> Tensor:
    """Bernoulli sample with rate ``sigmoid(logit)``.

    Args:
        logit: Logit of the rate, broadcastable to ``uniform``.
        uniform: Noise in (0, 1), any shape.

    Returns:
        Bool tensor of the broadcast shape.
    """
    return torch.logit(uniform) + logit > 0
