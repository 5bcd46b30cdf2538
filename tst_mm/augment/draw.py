"""Draw: everything random about one augmented batch, so that it can be replayed and printed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from .operators import ColorOperator, GeometricOperator, ImageInfo, Operator
from .rows import Selection, send, take


@dataclass(frozen=True)
class Noise:
    """The random numbers of a draw, on the host, before the policy has a say.

    The first axis has one row for each image (R = B), or a single row for all of them (R = 1).

    Attributes:
        drawn (Tensor): Which operators are considered for an image, (R, N) bool.
        gates (Tensor): The noise that decides about the gates, (R, N) uniform in (0, 1).
        signs (Tensor): The signs of the magnitudes, (R, N), 1 or -1; 1 for operators that are not
            signed.
        positions (Tensor): Where operators erase a region, (B, 2) uniform in [0, 1].
    """

    drawn: Tensor
    gates: Tensor
    signs: Tensor
    positions: Tensor


@dataclass(frozen=True)
class Part:
    """What one operator does to the k images that it acts on.

    Attributes:
        operator (Any): The operator that acts.
        images (Selection | None): The k images; None means all of them.
        level (Tensor): The operator level on each image, (k, 1, 1, 1) in [-1, 1].
    """

    operator: Any
    images: Selection | None
    level: Tensor

    def recolor(self, pixels: Tensor, info: ImageInfo) -> Tensor:
        """Apply a colour operator to values in [0, 1], (k, C, H, W)."""
        assert isinstance(self.operator, ColorOperator)
        return self.operator.apply(pixels, self.level.to(pixels.dtype), info)

    def erased(self, draw: Draw, height: int, width: int) -> Tensor:
        """How much of each pixel an erasing operator takes away, (k, 1, H, W) in [0, 1].

        It is on the device of the level.
        """
        device = self.level.device
        positions, extents = (
            take(tensor.to(device, non_blocking=True), self.images)
            for tensor in (draw.positions, draw.on(device).extents)
        )
        return self.operator.region(self.level.flatten(), positions, extents, height, width)


@dataclass(frozen=True)
class Draw:
    """What was drawn for a batch of B images and N operators.

    All tensors are drawn on the host, and are best used from there. What labels need, the maps and
    the extents, can go to another device.

    Attributes:
        operators (tuple[Operator]): The N operators in index order.
        gates (Tensor): Whether each operator acts on an image, (B, N): 1 where it does, else 0.
        magnitudes (Tensor): The magnitudes, (B, N) in [0, 1], drawn for all operators, whether
            they act or not; 1 for operators without a magnitude.
        levels (Tensor): The operator levels, magnitude times sign, (B, N) in [-1, 1].
        positions (Tensor): Where operators erase a region, (B, 2): y and x in [0, 1], as parts of
            the valid area.
        sizes (tuple[tuple[int, int]]): The height and width of the valid area of each image, in
            pixels.
        extents (Tensor): The same as a (B, 2) tensor, on the device of the draw.
        acted_on (tuple[tuple[int, ...] | None]): The positions of the images that each operator
            acts on; None where it acts on all. They are known on the host, so that nothing waits
            for the device.
        matrix (Tensor): The composed forward maps, (B, 3, 3), from source to destination. They act
            on (x, y, 1) in pixels from the top left corner; pixel i covers [i, i + 1].
        moved_images (tuple[int]): The positions of the images whose pixels, and so labels, move.
        origin (Draw | None): The draw as it was made, where this is its copy on another device.
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
    origin: Draw | None = field(default=None, repr=False, compare=False, kw_only=True)

    #: The tensors that never leave the host.
    host_only: ClassVar[tuple[str, ...]] = ('gates', 'magnitudes', 'levels', 'positions')
    #: Whether a map among those of ``moved_images`` may be the identity.
    may_stay: ClassVar[bool] = False

    def __len__(self) -> int:
        return self.gates.shape[0]

    def to(self, device: torch.device | str) -> Draw:
        """The same draw for images on another device, without waiting for it."""
        if torch.device(device) == self.matrix.device:
            return self
        names = [
            name
            for name, value in vars(self).items()
            if isinstance(value, Tensor) and name not in self.host_only
        ]
        there = send([getattr(self, name) for name in names], torch.device(device))
        tensors: dict[str, Any] = dict(zip(names, there, strict=True))
        return replace(self, **tensors, origin=self.origin or self)

    def on(self, device: torch.device) -> Draw:
        """The draw for labels on a device; where it was made there, nothing is read or copied."""
        if device == self.matrix.device:
            return self
        made = self.origin or self
        return made if device == made.matrix.device else made.to(device)

    def acted_on_by(self, family: type[Operator]) -> tuple[int, ...]:
        """The positions of the images that at least one operator of a family acts on."""
        found: set[int] = set()
        for operator, images in zip(self.operators, self.acted_on, strict=True):
            if isinstance(operator, family):
                found.update(range(len(self)) if images is None else images)
        return tuple(sorted(found))

    def parts(
        self,
        family: type[Operator],
        device: torch.device,
        within: Sequence[int] | None = None,
    ) -> Sequence[Part]:
        """The operators of a family that act on at least one image, in index order.

        Args:
            family: The family, a subclass of :class:`Operator`.
            device: The device of the images.
            within: The ascending positions of a part of the batch that has all images which the
                family acts on; selections are of that part. Defaults to None, the whole batch.
        """
        return [Part(*cells) for cells in self.cells(family, device, within, self.levels)]

    def describe(self, image: int) -> str:
        """Say what happens to one image, in physical values: ``'Rotate -12.3 degrees, Invert'``.

        Operators whose gate is below one half are left out. This reads values on the host: it is
        meant for pictures and logs.
        """
        gates, levels = self.gates[image].tolist(), self.levels[image].tolist()
        words = [
            describe_operator(operator, level)
            for operator, gate, level in zip(self.operators, gates, levels, strict=True)
            if gate > 0.5
        ]
        return ', '.join(words) or 'unchanged'

    def cells(
        self,
        family: type[Operator],
        device: torch.device,
        within: Sequence[int] | None,
        *tables: Tensor,
    ) -> list[tuple[Any, ...]]:
        """Take from tables what they hold for the operators of a family that act.

        Args:
            family: See :meth:`parts`.
            device: See :meth:`parts`.
            within: See :meth:`parts`.
            tables: The tables, (B, N) each, all on one device.

        Returns:
            For each operator that acts on at least one image: the operator, the
            :class:`Selection` of the images that it acts on, and the (k, 1, 1, 1) values of each
            table, all on the device of the images.
        """
        every = tuple(range(len(self)))
        acting = [
            (i, every if images is None else images)
            for i, images in enumerate(self.acted_on)
            if isinstance(self.operators[i], family) and images != ()
        ]
        if not acting:
            return []
        places, count = [images for _, images in acting], len(every if within is None else within)
        if within is not None:
            place = dict(zip(within, every, strict=False))
            places = [tuple(map(place.__getitem__, images)) for images in places]
        where = [image * len(self.operators) + i for i, images in acting for image in images]
        index, chosen = (
            torch.tensor([spot for spots in places for spot in spots]),
            torch.tensor(where),
        )
        # One gather for all operators, with one scatter in its backward, and one transfer.
        if tables[0].device == device:
            index, chosen = send([index, chosen], device)
        values = [table.flatten().index_select(0, chosen).view(-1, 1, 1, 1) for table in tables]
        lengths = [len(spots) for spots in places]
        columns = [column.split(lengths) for column in send([index, *values], device)]
        return [
            (self.operators[i], Selection(spots, index) if len(spots) < count else None, *rest)
            for (i, _), spots, index, *rest in zip(acting, places, *columns, strict=True)
        ]


def describe_operator(operator: Operator, level: float) -> str:
    """Describe one operator at one operator level, for example ``'Rotate -12.3 degrees'``."""
    if not operator.has_magnitude:
        return operator.name
    sign = '+' if operator.signed else ''
    return f'{operator.name} {operator.physical(level):{sign}.3g} {operator.unit}'.rstrip()


def true_positions(column: Sequence[bool]) -> tuple[int, ...]:
    """The positions at which a list is True."""
    return tuple(itertools.compress(range(len(column)), column))


def compose(
    operators: tuple[Operator, ...], gates: Tensor, levels: Tensor, extents: Tensor
) -> Tensor:
    """Compose the geometric operators into one map, their product in the order of their indices.

    A gate g turns an operator's matrix A into ``I + g (A - I)``.

    Args:
        operators: All N operators; those that are not geometric are passed over.
        gates: The gates, (B, N) in [0, 1].
        levels: The operator levels, (B, N) in [-1, 1].
        extents: The height and width of the valid areas in pixels, (B, 2).

    Returns:
        The forward maps, (B, 3, 3), in pixels from the top left corner. They are differentiable in
        gates and levels, and exactly the identity where all gates are 0.
    """
    eye = torch.eye(3, dtype=levels.dtype, device=levels.device)
    offset = torch.zeros_like(eye).expand(len(levels), 3, 3)
    # Mixed precision would round pixel coordinates to 8 or 11 bits.
    with torch.autocast(levels.device.type, enabled=False):
        moving = [(i, op) for i, op in enumerate(operators) if isinstance(op, GeometricOperator)]
        if moving:
            columns, opens = levels.unbind(1), gates.unbind(1)
            maps = torch.stack([op.matrix(columns[i], extents) for i, op in moving])
            # Kept as the distance from the identity: exactly zero stays exactly zero.
            steps = torch.stack([opens[i] for i, _ in moving])[..., None, None] * (maps - eye)
            offset, *rest = steps.unbind()
            for step in rest:
                offset = offset + step + step @ offset
        return from_centre(offset, extents, eye)


def from_centre(offset: Tensor, extents: Tensor, eye: Tensor) -> Tensor:
    """Make maps about the centre c of the valid area: x -> A (x - c) + c.

    Args:
        offset: A less the identity, (B, 3, 3), in pixels with the origin at the centre.
        extents: The height and width of the valid areas in pixels, (B, 2).
        eye: The identity, (3, 3), on the device and in the dtype of ``offset``.

    Returns:
        The maps, (B, 3, 3), in pixels from the top left corner.
    """
    # This is I + offset, where the last column also moves the centre back to its place.
    linear = offset[:, :2, :2]
    centre = extents.flip(1)[..., None].to(linear.dtype) / 2
    shift = offset[:, :2, 2:] - linear @ centre
    upper = torch.cat((linear, shift), dim=2)
    return eye + torch.cat((upper, torch.zeros_like(upper[:, :1])), dim=1)


def hard_gate(logit: Tensor, uniform: Tensor) -> Tensor:
    """Draw a Bernoulli sample with rate ``sigmoid(logit)``.

    Args:
        logit: The logit of the rate, broadcastable to ``uniform``.
        uniform: Uniform noise in (0, 1), of any shape.

    Returns:
        A bool tensor in the broadcast shape, True where the gate is open.
    """
    return torch.logit(uniform) + logit > 0
