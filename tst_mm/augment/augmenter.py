"""LearnedAugmenter: draws operators by a policy and applies them to a normalised batch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.registry import MODELS
from tst_mm.utils import closest, require_mapping
from tst_mm.utils.presets import with_preset

from .composition import COMPOSITIONS, Setting
from .draw import Draw, compose
from .gate import hard_gate, relaxed_gate
from .normalization import Normalization
from .operators import GeometricOperator, Operator
from .operators.build import build_operators
from .policy import AugmentPolicy
from .presets import CHOICES, OPERATOR_SETS, PRESET_RANGES, PRESETS
from .warp import is_identity, valid_mask

_EPSILON = torch.finfo(torch.float32).eps


@MODELS.register_module()
class LearnedAugmenter(nn.Module):
    """Learned data augmentation of the student's input (paper, section 3).

    By default colour operators act in sequence, then all geometry as one affine map that is sampled
    once, then erasing. Values stay in the range of an image, padding stays as it is, and where
    nothing acts the output is the input, bit for bit.

    Args:
        operators: Names, or dicts with ``type`` and the operator's arguments, in the order of the
            policy's indices; or ``'closed_form'`` (default), the 14 of the paper, or ``'fitted'``
            (the reference), the same with encoders where the magnitude is learned.
        ranges: Physical value at magnitude 1 by operator name, instead of the operator's own; or a
            dict of its arguments.
        num_ops: How many operators are drawn for an image, without replacement. Defaults to 4.
        temperature: Of the relaxed gates, positive. Defaults to 0.05.
        sharing: ``'sample'`` draws for every image (default), ``'batch'`` once for the batch
            (the reference).
        sign: ``'random'`` draws the sign of signed operators (default), ``'positive'`` does not
            (the reference).
        gate: Of the student stage: ``'hard'`` (default) or ``'relaxed'`` (the reference). The
            augmenter stage's are always relaxed.
        squashing: ``'single'`` (default) or ``'double'`` (the reference), see
            :class:`AugmentPolicy`.
        composition: ``'sequence'`` (default); ``'residual'``, the sum of all operators' changes
            (the reference on classification), which labels cannot follow; ``'summed'``, the sum of
            the colour operators' changes, then one map of summed matrices (the reference on dense
            tasks).
        coordinates: ``'pixel'`` (default) or ``'normalised'`` (the reference), see
            :func:`~tst_mm.augment.draw.compose`.
        clamp: Whether colours stay in the range of an image. Defaults to True; the reference's
            do not.
        init: Start of the policy, see :class:`AugmentPolicy`.
        preset: ``'recommended'`` (default), ``'paper'`` (the reference on classification, with
            Cutout as large as the image) or ``'paper_dense'`` (with Cutout of 128 pixels): the
            defaults of the arguments above. One that is given wins.

    Raises:
        KeyError: Unknown operator or range.
        TypeError: ``operators`` is no list, or ``ranges`` no dictionary.
        ValueError: A value outside what is allowed.

    Example:
        >>> augmenter = dict(type='tst_mm.LearnedAugmenter', num_ops=3, ranges=dict(Rotate=45))
        >>> augmenter = dict(type='tst_mm.LearnedAugmenter', preset='paper', sharing='sample')
    """

    def __init__(
        self,
        operators: str | Sequence[str | Mapping[str, Any]] | None = None,
        ranges: Mapping[str, float | Mapping[str, Any]] | None = None,
        num_ops: int = 4,
        temperature: float = 0.05,
        sharing: str | None = None,
        sign: str | None = None,
        gate: str | None = None,
        squashing: str | None = None,
        composition: str | None = None,
        coordinates: str | None = None,
        clamp: bool | None = None,
        init: Mapping[str, Any] | str | Path | None = None,
        preset: str = 'recommended',
    ) -> None:
        super().__init__()
        given = {
            'operators': operators,
            'sharing': sharing,
            'sign': sign,
            'gate': gate,
            'squashing': squashing,
            'composition': composition,
            'coordinates': coordinates,
            'clamp': clamp,
        }
        chosen = with_preset('LearnedAugmenter', PRESETS, preset, given)
        for key, allowed in CHOICES.items():
            if chosen[key] not in allowed:
                raise ValueError(f'{key} is {chosen[key]!r}; {closest(chosen[key], allowed)}')
        if not isinstance(chosen['clamp'], bool):
            raise ValueError(f'clamp is {chosen["clamp"]!r}; allowed: True, False')
        listed = chosen['operators']
        if isinstance(listed, str):
            if listed not in OPERATOR_SETS:
                raise ValueError(f'operators is {listed!r}; {closest(listed, OPERATOR_SETS)}')
            listed = OPERATOR_SETS[listed]
        if not isinstance(listed, Sequence):
            raise TypeError(f'operators is {listed!r}; allowed: a name or a list')
        if ranges is not None:
            require_mapping('ranges', ranges)
        built = build_operators(listed, ranges or {}, PRESET_RANGES[preset])
        if type(num_ops) is not int or not 1 <= num_ops <= len(built):
            raise ValueError(f'num_ops is {num_ops!r}; allowed: 1 to {len(built)} (operators)')
        if not isinstance(temperature, (int, float)) or not 0 < temperature < math.inf:
            raise ValueError(f'temperature is {temperature!r}; allowed: above 0')
        self.policy = AugmentPolicy(built, init, chosen['squashing'])
        self.normalization = Normalization()
        self.num_ops = num_ops
        self.temperature = temperature
        self.sharing: str = chosen['sharing']
        self.sign: str = chosen['sign']
        self.gate: str = chosen['gate']
        self.composition: str = chosen['composition']
        self.coordinates: str = chosen['coordinates']
        self.clamp: bool = chosen['clamp']
        self._generator = torch.Generator()
        self._host: tuple[Any, Tensor, Tensor] | None = None
        self.reseed(torch.initial_seed())

    @property
    def labels_follow(self) -> bool:
        """Whether a draw has one map that boxes and label maps can follow."""
        return self.composition != 'residual'

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The operators in the policy's index order."""
        return self.policy.operators

    def application(self) -> dict[str, Any]:
        """How the policy is applied, as plain data for a policy file.

        Returns:
            ``num_ops``, ``sign`` and ``fill``: grey levels, blue first where there are three
            channels, of pixels that come from outside or are erased.
        """
        fill = self.normalization.mean.flatten().tolist()
        if self.normalization.channel_order == 'rgb':
            fill.reverse()
        return {'num_ops': self.num_ops, 'sign': self.sign, 'fill': fill}

    def reseed(self, *key: int) -> None:
        """Make the next draws depend on ``key`` only, for example (seed, iteration, rank).

        A schedule that reseeds before every step needs no stored random state to resume exactly.
        """
        digest = hashlib.blake2b(repr(tuple(map(int, key))).encode(), digest_size=8).digest()
        self._generator.manual_seed(int.from_bytes(digest, 'little') >> 1)

    def forward(
        self, inputs: Tensor, sizes: Sequence[tuple[int, int]] | None = None, relaxed: bool = False
    ) -> tuple[Tensor, Draw]:
        """Draw and apply.

        Args:
            inputs: (B, C, H, W), normalised as ``self.normalization`` says; never modified.
            sizes: Height and width of the valid area of each image, which starts at the top left
                corner; None when nothing is padded.
            relaxed: Differentiable gates, for the augmenter stage. Defaults to hard ones.

        Returns:
            The augmented batch, same shape and dtype, and the :class:`Draw`.
        """
        height, width = inputs.shape[-2:]
        draw = self.draw(sizes or [(height, width)] * len(inputs), relaxed).to(inputs.device)
        return self.transform(inputs, draw), draw

    def draw(self, sizes: Sequence[tuple[int, int]], relaxed: bool = False) -> Draw:
        """Draw operators, gates, signs and positions for a batch.

        Noise is drawn on the host, so that it is the same on every device and which images an
        operator acts on is known without waiting for the device.

        Args:
            sizes: Height and width of the valid area of each of the B images, in pixels.
            relaxed: Differentiable gates on the policy's device; otherwise a draw on the host, or,
                where ``gate`` is ``'relaxed'``, the same without gradient.
        """
        if self.gate == 'relaxed' and not relaxed:
            with torch.no_grad():
                return self.draw(sizes, relaxed=True)
        batch = len(sizes)
        rows = 1 if self.sharing == 'batch' else batch
        count, generator = len(self.operators), self._generator
        order = torch.rand(rows, count, generator=generator).argsort(dim=1)
        noise = torch.rand(rows, count, generator=generator).clamp_(_EPSILON, 1 - _EPSILON)
        sign = torch.rand(rows, count, generator=generator).lt(0.5).float() * 2 - 1
        positions = torch.rand(batch, 2, generator=generator)
        signed = torch.tensor([operator.signed for operator in self.operators])
        sign = torch.where(signed & (self.sign == 'random'), sign, 1.0)
        acts = torch.zeros(rows, count, dtype=torch.bool)
        acts.scatter_(1, order[:, : self.num_ops], True)

        extents = torch.tensor(sizes, dtype=torch.float32).view(-1, 2)
        logits: Tensor
        if relaxed:
            logits, magnitudes = self.policy.gate_logits(), self.policy.magnitudes()
            self._host = None  # an optimiser's step follows; fused ones leave no trace in versions
            noise, drawn, positions, extents, sign = (
                tensor.to(logits.device, non_blocking=True)
                for tensor in (noise, acts, positions, extents, sign)
            )
            gates = relaxed_gate(logits, noise, self.temperature) * drawn
        else:
            logits, magnitudes = self._host_policy()
            acts &= hard_gate(logits, noise)
            gates = acts.float()
        expand = (batch, count)
        gates, levels = gates.expand(expand), (sign * magnitudes).expand(expand)
        acts = acts.expand(expand)
        if self.labels_follow:
            moves = torch.tensor([isinstance(op, GeometricOperator) for op in self.operators])
            moved = (acts & moves).any(1)
            styles = (self.composition, self.coordinates)
            matrix = compose(self.operators, gates, levels, extents, *styles)
            if not relaxed:
                moved &= ~is_identity(matrix)
        else:
            moved = torch.zeros(batch, dtype=torch.bool)
            matrix = torch.eye(3, device=gates.device).expand(batch, 3, 3)
        return Draw(
            operators=self.operators,
            gates=gates,
            levels=levels,
            positions=positions,
            sizes=tuple((int(h), int(w)) for h, w in sizes),
            extents=extents,
            samples=tuple(None if all(c) else _positions(c) for c in acts.T.tolist()),
            matrix=matrix,
            moved_images=_positions(moved.tolist()),
            relaxed=relaxed,
        )

    def transform(self, inputs: Tensor, draw: Draw) -> Tensor:
        """Apply a draw, for example to replay it; see :meth:`forward` for the shapes."""
        if len(draw) != len(inputs):
            raise ValueError(f'the draw is for {len(draw)} images, the batch has {len(inputs)}')
        with torch.autocast(inputs.device.type, enabled=False):
            exact = inputs if inputs.dtype == torch.float64 else inputs.float()
            height, width = inputs.shape[-2:]
            padded = any(size != (height, width) for size in draw.sizes)
            mask = valid_mask(draw.extents, height, width) if padded else None
            setting = Setting(self.normalization, mask, self.clamp, self.coordinates)
            images = COMPOSITIONS[self.composition](exact, draw, setting)
            if mask is not None:
                images = torch.where(mask, images, exact)
        return images.to(inputs.dtype)

    def _host_policy(self) -> tuple[Tensor, Tensor]:
        """Probability logits and magnitudes on the host, read again only after a change."""
        parameters = (self.policy.probability_logits, self.policy.magnitude_logits)
        state = tuple((p.data_ptr(), p._version) for p in parameters)
        if self._host is None or self._host[0] != state:
            logits = self.policy.gate_logits().detach().cpu()
            self._host = (state, logits, self.policy.magnitudes().detach().cpu())
        return self._host[1], self._host[2]


def _positions(column: list[bool]) -> tuple[int, ...]:
    """Where a list is True."""
    return tuple(i for i, here in enumerate(column) if here)
