"""LearnedAugmenter: draws operators by a policy and applies them to a normalised batch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.registry import MODELS
from tst_mm.utils import closest, reject_unknown_keys, require_mapping
from tst_mm.utils.aliases import explain_switches

from .composition import Setting, in_sequence
from .draw import Draw, Noise, compose, hard_gate, true_positions
from .fused import fits, in_one_pass
from .normalization import Normalization
from .operators import OPERATOR_SETS, GeometricOperator, Operator
from .operators.build import build_operators
from .policy import AugmentPolicy
from .warp import is_identity, valid_mask

_EPSILON = torch.finfo(torch.float32).eps


@MODELS.register_module()
class LearnedAugmenter(nn.Module):
    """Learned data augmentation of the student's input (paper, section 3).

    Every image has a draw of its own: ``num_ops`` operators are considered, each acts at its rate,
    with a magnitude drawn from its density and, where it has one, a random sign. Colour operators
    act in sequence, then all geometry as one affine map that is sampled once, then erasing. Values
    stay in the range of an image, padding stays as it is, and where nothing acts the output is the
    input, bit for bit.

    A subclass that draws otherwise overrides :meth:`noise`, :meth:`sample_magnitudes`,
    :meth:`compose` or all of :meth:`draw`; one that acts otherwise overrides :meth:`act`.

    Args:
        operators: Names, or dicts with ``type`` and the operator's arguments, in the order of the
            policy's indices; or the name of a set: ``'standard'`` (default), the 14 of the paper;
            ``'wide'``, with both flips, zoom, hue, grey, blur and noise beside them;
            ``'overhead'``, the wide one with rotations up to 180 degrees, for aerial images and
            microscopy; ``'text'``, the 14 with small ranges, for digits and documents.
        ranges: The physical value that an operator has at magnitude 1, by the name of the
            operator; or a dict of arguments of that operator. Defaults to the ranges of the
            operators themselves.
        num_ops: The number of operators that are drawn for each image, without replacement.
            Defaults to 2.
        init: The rates and magnitudes that the policy starts from, as :class:`AugmentPolicy` takes
            them. Defaults to the operators' own rates, 0.8 and 0.1 for Invert and Cutout, and to
            uniform magnitudes.

    Raises:
        KeyError: An argument, an operator or a range is unknown.
        TypeError: ``operators`` is neither a name nor a list, or ``ranges`` no dictionary.
        ValueError: A value is outside what is allowed.

    Example:
        >>> augmenter = dict(type='tst_mm.LearnedAugmenter', num_ops=3, ranges=dict(Rotate=45))
    """

    policy: AugmentPolicy

    def __init__(
        self,
        operators: str | Sequence[str | Mapping[str, Any]] = 'standard',
        ranges: Mapping[str, float | Mapping[str, Any]] | None = None,
        num_ops: int = 2,
        init: Mapping[str, Any] | str | Path | None = None,
        **unknown: Any,
    ) -> None:
        super().__init__()
        if words := explain_switches(unknown):
            raise KeyError(words)
        reject_unknown_keys('LearnedAugmenter', unknown, ('operators', 'ranges', 'num_ops', 'init'))
        listed: Any = operators
        if isinstance(listed, str):
            if listed not in OPERATOR_SETS:
                raise ValueError(f'operators is {listed!r}; {closest(listed, OPERATOR_SETS)}')
            listed = OPERATOR_SETS[listed]
        if not isinstance(listed, Sequence):
            raise TypeError(f'operators is {operators!r}; allowed: the name of a set, or a list')
        if ranges is not None:
            require_mapping('ranges', ranges)
        built = build_operators(listed, ranges or {})
        if type(num_ops) is not int or not 1 <= num_ops <= len(built):
            raise ValueError(f'num_ops is {num_ops!r}; allowed: 1 to {len(built)} (operators)')
        self.policy = self.build_policy(built, init)
        # Not buffers: like all that is drawn, they stay on the host.
        self._signed = torch.tensor([operator.signed for operator in self.operators])
        self._moves = torch.tensor([isinstance(op, GeometricOperator) for op in self.operators])
        self.normalization = Normalization()
        self.num_ops = num_ops
        self._generator = torch.Generator()
        self.reseed(torch.initial_seed())

    def build_policy(
        self, operators: Sequence[Operator], init: Mapping[str, Any] | str | Path | None
    ) -> AugmentPolicy:
        """Build the policy over these operators; a subclass may build another kind."""
        return AugmentPolicy(operators, init)

    #: The objective that a search over this augmenter's policy needs; None leaves it to the task.
    objective: str | None = None

    @property
    def labels_follow(self) -> bool:
        """Whether a draw has one map that boxes and label maps can follow."""
        return True

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The operators in the policy's index order."""
        return self.policy.operators

    def application(self) -> dict[str, Any]:
        """How the policy is applied, as plain data for a policy file.

        Returns:
            The entries ``num_ops``; ``sign``, which is ``'random'``; ``magnitudes``, which is
            ``'spread'``; and ``fill``, the grey values of pixels that come from outside or are
            erased, blue first where there are three channels.
        """
        fill = self.normalization.mean.flatten().tolist()
        if self.normalization.channel_order == 'rgb':
            fill.reverse()
        return {'num_ops': self.num_ops, 'sign': 'random', 'magnitudes': 'spread', 'fill': fill}

    def reseed(self, *key: int) -> None:
        """Make the next draws depend on ``key`` only, for example (seed, iteration, rank).

        A schedule that reseeds before every step needs no stored random state to resume exactly.
        """
        digest = hashlib.blake2b(repr(tuple(map(int, key))).encode(), digest_size=8).digest()
        self._generator.manual_seed(int.from_bytes(digest, 'little') >> 1)

    def forward(
        self, inputs: Tensor, sizes: Sequence[tuple[int, int]] | None = None
    ) -> tuple[Tensor, Draw]:
        """Draw for every image of a batch, and apply what was drawn.

        Args:
            inputs: The batch, (B, C, H, W), normalised as ``self.normalization`` says; it is never
                modified.
            sizes: The height and width of the valid area of each image in pixels, which starts at
                the top left corner; None (default) where nothing is padded.

        Returns:
            The augmented batch, in the same shape and dtype, and the :class:`Draw` that it was
            made by.
        """
        height, width = inputs.shape[-2:]
        draw = self.draw(sizes or [(height, width)] * len(inputs))
        return self.transform(inputs, draw), draw.to(inputs.device)

    def draw(self, sizes: Sequence[tuple[int, int]]) -> Draw:
        """Draw operators, gates, signs, positions and magnitudes for a batch, on the host.

        Noise is drawn on the host, so that it is the same on every device and what happens to
        which image is known without waiting for the device.

        Args:
            sizes: The height and width of the valid area of each of the B images, in pixels.
        """
        noise = self.noise(len(sizes))
        acts = noise.drawn & hard_gate(self.policy.probability_logits, noise.gates)
        return self.assemble(sizes, noise, acts, self.sample_magnitudes(len(sizes)))

    def chance(self) -> float:
        """Draw one random number, uniform in [0, 1)."""
        return float(torch.rand((), generator=self._generator))

    def noise(self, batch: int, rows: int | None = None) -> Noise:
        """Draw the random numbers for a batch.

        Args:
            batch: The number of images, B.
            rows: The number of rows, R, of all tensors but the positions. Defaults to one row for
                each image.
        """
        rows = batch if rows is None else rows
        count, generator = len(self.operators), self._generator
        places = torch.rand(rows, count, generator=generator)
        gates = torch.rand(rows, count, generator=generator).clamp_(_EPSILON, 1 - _EPSILON)
        signs = torch.rand(rows, count, generator=generator).lt(0.5).float() * 2 - 1
        positions = torch.rand(batch, 2, generator=generator)
        drawn = torch.zeros(rows, count, dtype=torch.bool)
        first = places.topk(self.num_ops, dim=1, largest=False, sorted=False).indices
        drawn.scatter_(1, first, True)
        return Noise(drawn, gates, torch.where(self._signed, signs, 1.0), positions)

    def sample_magnitudes(self, batch: int) -> Tensor:
        """Draw (B, N) magnitudes in [0, 1]; they are the last random numbers of a draw."""
        uniform = torch.rand(batch, len(self.operators), generator=self._generator)
        return self.policy.sample_magnitudes(uniform)

    def assemble(
        self,
        sizes: Sequence[tuple[int, int]],
        noise: Noise,
        acts: Tensor,
        magnitudes: Tensor,
    ) -> Draw:
        """Make the draw in which operators act as said; tensors have B rows or one, on the host.

        Args:
            sizes: The height and width of the valid area of each of the B images, in pixels.
            noise: The random numbers, of which the signs and the positions are used.
            acts: Which operators act on which image, (R, N) bool.
            magnitudes: The magnitude of each operator, (R, N) in [0, 1].
        """
        shape = (len(sizes), len(self.operators))
        # Mostly one size for all: reading them one by one takes longer than an operator does.
        known = {size: (int(size[0]), int(size[1])) for size in set(sizes)}
        sizes = tuple(map(known.__getitem__, sizes))
        told = sizes[:1] if len(known) == 1 else sizes
        gates, levels = acts.float().expand(shape), (noise.signs * magnitudes).expand(shape)
        extents = torch.tensor(told, dtype=torch.float32).view(-1, 2).expand(shape[0], 2)
        matrix = self.compose(gates, levels, extents)
        acts = acts.expand(shape)
        moved = (acts & self._moves).any(1) & ~is_identity(matrix)
        return Draw(
            operators=self.operators,
            gates=gates,
            magnitudes=magnitudes.expand(shape),
            levels=levels,
            positions=noise.positions,
            sizes=sizes,
            extents=extents,
            acted_on=tuple(None if all(c) else true_positions(c) for c in acts.T.tolist()),
            matrix=matrix,
            moved_images=true_positions(moved.tolist()),
        )

    def compose(self, gates: Tensor, levels: Tensor, extents: Tensor) -> Tensor:
        """Compose the maps of a draw; see :func:`tst_mm.augment.draw.compose`."""
        return compose(self.operators, gates, levels, extents)

    def transform(self, inputs: Tensor, draw: Draw) -> Tensor:
        """Apply a draw, for example to replay it; the shapes are those of :meth:`forward`."""
        if len(draw) != len(inputs):
            raise ValueError(f'the draw is for {len(draw)} images, the batch has {len(inputs)}')
        with torch.autocast(inputs.device.type, enabled=False):
            exact = inputs if inputs.dtype == torch.float64 else inputs.float()
            height, width = inputs.shape[-2:]
            padded = set(draw.sizes) != {(height, width)}
            mask = None
            if padded:
                extents = draw.extents.to(inputs.device, non_blocking=True)
                mask = valid_mask(extents, height, width)
            images = self.act(exact, draw, mask)
            if mask is not None:
                images = torch.where(mask, images, exact)
        return images.to(inputs.dtype)

    def act(self, images: Tensor, draw: Draw, mask: Tensor | None) -> Tensor:
        """Let the operators of a draw act.

        Args:
            images: The normalised images, (B, C, H, W), float32 or float64; they are never
                modified.
            draw: What was drawn for these images.
            mask: The valid areas, (B, 1, H, W) bool, False in the padding; None where nothing is
                padded.

        Returns:
            The changed images, in the same shape and dtype; their padding need not be what it was.
        """
        if fits(images, draw):
            return in_one_pass(images, draw, self.normalization)
        return in_sequence(images, draw, Setting(self.normalization, mask))
