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
        ranges: Physical value at magnitude 1 by operator name, instead of the operator's own; or a
            dict of its arguments.
        num_ops: How many operators are drawn for an image, without replacement. Defaults to 4.
        init: Start of the policy, see :class:`AugmentPolicy`.

    Raises:
        KeyError: Unknown argument, operator or range.
        TypeError: ``operators`` is neither a name nor a list, or ``ranges`` no dictionary.
        ValueError: A value outside what is allowed.

    Example:
        >>> augmenter = dict(type='tst_mm.LearnedAugmenter', num_ops=3, ranges=dict(Rotate=45))
    """

    policy: AugmentPolicy

    def __init__(
        self,
        operators: str | Sequence[str | Mapping[str, Any]] = 'standard',
        ranges: Mapping[str, float | Mapping[str, Any]] | None = None,
        num_ops: int = 4,
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
        self.normalization = Normalization()
        self.num_ops = num_ops
        self._generator = torch.Generator()
        self.reseed(torch.initial_seed())

    def build_policy(
        self, operators: Sequence[Operator], init: Mapping[str, Any] | str | Path | None
    ) -> AugmentPolicy:
        """The policy over these operators; see the class."""
        return AugmentPolicy(operators, init)

    #: The objective of a search over this augmenter's policy, unless the config says another.
    objective = 'tst_mm.ConfidenceObjective'

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
            ``num_ops``; ``sign``, ``'random'``; ``magnitudes``, ``'spread'``; and ``fill``: grey
            values, blue first where there are three channels, of pixels that come from outside or
            are erased.
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
        """Draw and apply.

        Args:
            inputs: (B, C, H, W), normalised as ``self.normalization`` says; never modified.
            sizes: Height and width of the valid area of each image, which starts at the top left
                corner; None when nothing is padded.

        Returns:
            The augmented batch, same shape and dtype, and the :class:`Draw`.
        """
        height, width = inputs.shape[-2:]
        draw = self.draw(sizes or [(height, width)] * len(inputs)).to(inputs.device)
        return self.transform(inputs, draw), draw

    def draw(self, sizes: Sequence[tuple[int, int]]) -> Draw:
        """Draw operators, gates, signs, positions and magnitudes for a batch, on the host.

        Noise is drawn on the host, so that it is the same on every device and what happens to
        which image is known without waiting for the device.

        Args:
            sizes: Height and width of the valid area of each of the B images, in pixels.
        """
        noise = self.noise(len(sizes))
        acts = noise.drawn & hard_gate(self.policy.probability_logits, noise.gates)
        return self.assemble(sizes, noise, acts, self.sample_magnitudes(len(sizes)))

    def chance(self) -> float:
        """The next random number, uniform in [0, 1)."""
        return float(torch.rand((), generator=self._generator))

    def noise(self, batch: int, rows: int | None = None) -> Noise:
        """The next random numbers for a batch.

        Args:
            batch: Images B.
            rows: Rows R of all but the positions. Defaults to one an image.
        """
        rows = batch if rows is None else rows
        count, generator = len(self.operators), self._generator
        order = torch.rand(rows, count, generator=generator).argsort(dim=1)
        gates = torch.rand(rows, count, generator=generator).clamp_(_EPSILON, 1 - _EPSILON)
        signs = torch.rand(rows, count, generator=generator).lt(0.5).float() * 2 - 1
        positions = torch.rand(batch, 2, generator=generator)
        signed = torch.tensor([operator.signed for operator in self.operators])
        drawn = torch.zeros(rows, count, dtype=torch.bool)
        drawn.scatter_(1, order[:, : self.num_ops], True)
        return Noise(drawn, gates, torch.where(signed, signs, 1.0), positions)

    def sample_magnitudes(self, batch: int) -> Tensor:
        """(B, N) magnitudes; the last random numbers of a draw."""
        uniform = torch.rand(batch, len(self.operators), generator=self._generator)
        return self.policy.sample_magnitudes(uniform)

    def assemble(
        self,
        sizes: Sequence[tuple[int, int]],
        noise: Noise,
        acts: Tensor,
        magnitudes: Tensor,
    ) -> Draw:
        """The draw in which the operators act as said; tensors on the host, of B rows or of one.

        Args:
            sizes: See :meth:`draw`.
            noise: Signs and positions of which are used.
            acts: (R, N) bool, which operators act on which image.
            magnitudes: (R, N) in [0, 1].
        """
        shape = (len(sizes), len(self.operators))
        gates, levels = acts.float().expand(shape), (noise.signs * magnitudes).expand(shape)
        extents = torch.tensor(sizes, dtype=torch.float32).view(-1, 2)
        matrix = self.compose(gates, levels, extents)
        acts = acts.expand(shape)
        moves = torch.tensor([isinstance(op, GeometricOperator) for op in self.operators])
        moved = (acts & moves).any(1) & ~is_identity(matrix)
        return Draw(
            operators=self.operators,
            gates=gates,
            magnitudes=magnitudes.expand(shape),
            levels=levels,
            positions=noise.positions,
            sizes=tuple((int(h), int(w)) for h, w in sizes),
            extents=extents,
            acted_on=tuple(None if all(c) else true_positions(c) for c in acts.T.tolist()),
            matrix=matrix,
            moved_images=true_positions(moved.tolist()),
        )

    def compose(self, gates: Tensor, levels: Tensor, extents: Tensor) -> Tensor:
        """The maps of a draw; see :func:`tst_mm.augment.draw.compose`."""
        return compose(self.operators, gates, levels, extents)

    def transform(self, inputs: Tensor, draw: Draw) -> Tensor:
        """Apply a draw, for example to replay it; see :meth:`forward` for the shapes."""
        if len(draw) != len(inputs):
            raise ValueError(f'the draw is for {len(draw)} images, the batch has {len(inputs)}')
        with torch.autocast(inputs.device.type, enabled=False):
            exact = inputs if inputs.dtype == torch.float64 else inputs.float()
            height, width = inputs.shape[-2:]
            padded = any(size != (height, width) for size in draw.sizes)
            mask = valid_mask(draw.extents, height, width) if padded else None
            images = self.act(exact, draw, mask)
            if mask is not None:
                images = torch.where(mask, images, exact)
        return images.to(inputs.dtype)

    def act(self, images: Tensor, draw: Draw, mask: Tensor | None) -> Tensor:
        """Let the operators of a draw act.

        Args:
            images: (B, C, H, W) normalised, float32 or float64; never modified.
            draw: Of these images.
            mask: (B, 1, H, W) bool, False in the padding; None without padding.

        Returns:
            Same shape and dtype; padding need not be as it was.
        """
        return in_sequence(images, draw, Setting(self.normalization, mask))
