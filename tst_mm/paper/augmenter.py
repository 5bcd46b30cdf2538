"""PaperAugmenter: the augmenter of the published form, with a switch for each peculiarity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tst_mm.augment import Draw, LearnedAugmenter, hard_gate
from tst_mm.augment.draw import Noise, true_positions
from tst_mm.augment.operators import GeometricOperator, Operator
from tst_mm.registry import MODELS
from tst_mm.utils import closest
from tst_mm.utils.presets import with_preset

from .composition import COMPOSITIONS, PaperSetting
from .gate import relaxed_gate
from .maps import compose
from .policy import PaperPolicy
from .presets import CHOICES, OPERATOR_SETS, PRESET_RANGES, PRESETS
from .relaxed_draw import RelaxedDraw


@MODELS.register_module()
class PaperAugmenter(LearnedAugmenter):
    """Learned data augmentation that a gradient trains (paper, section 3).

    Each argument from ``temperature`` on is a switch of the published form; a preset sets them all.

    Args:
        operators: The operators, as those of :class:`LearnedAugmenter`; or ``'closed_form'``, the
            14 of the paper, or ``'fitted'`` (the reference), the same with encoders where the
            magnitude is learned. Defaults to those of the preset.
        ranges: The ranges of the operators, as those of :class:`LearnedAugmenter`.
        num_ops: The number of operators that are drawn for an image, without replacement. Defaults
            to 4.
        temperature: The temperature of the relaxed gates, positive. Defaults to 0.05.
        sharing: What shares a draw: ``'sample'`` draws for every image, ``'batch'`` once for the
            batch (the reference).
        sign: How signs come about: ``'random'`` draws the sign of signed operators, ``'positive'``
            does not (the reference).
        gate: The gate of the student stage, ``'hard'`` or ``'relaxed'`` (the reference). That of
            the augmenter stage is always relaxed.
        squashing: How often a rate is squashed, ``'single'`` or ``'double'`` (the reference); see
            :class:`PaperPolicy`.
        composition: How operators act together: ``'sequence'``; ``'residual'``, the sum of all
            operators' changes (the reference on classification), which labels cannot follow; or
            ``'summed'``, the sum of the colour operators' changes, then one map of summed matrices
            (the reference on dense tasks).
        coordinates: The coordinates that geometric operators act on, ``'pixel'`` or
            ``'normalised'`` (the reference); see :func:`tst_mm.paper.maps.compose`.
        clamp: Whether colours stay in the range of an image; those of the reference do not.
        init: The rates and magnitudes that the policy starts from; see :class:`PaperPolicy`.
        preset: The defaults of the arguments above, of which one that is given wins: ``'paper'``
            (default; the reference on classification, with Cutout as large as the image),
            ``'paper_dense'`` (with Cutout of 128 pixels) or ``'recommended'`` (per-image draws,
            hard gates, single squashing, random signs, closed forms in sequence, in pixels,
            clamped).

    Raises:
        KeyError: An operator or a range is unknown.
        TypeError: ``operators`` is no list, or ``ranges`` is no dictionary.
        ValueError: A value is outside what is allowed.

    Example:
        >>> augmenter = dict(type='tst_mm.PaperAugmenter', sharing='sample')
        >>> augmenter = dict(type='tst_mm.PaperAugmenter', preset='recommended', sign='positive')
    """

    policy: PaperPolicy

    objective = 'tst_mm.FlippedObjective'

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
        preset: str = 'paper',
    ) -> None:
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
        chosen = with_preset('PaperAugmenter', PRESETS, preset, given)
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
        if not isinstance(temperature, (int, float)) or not 0 < temperature < math.inf:
            raise ValueError(f'temperature is {temperature!r}; allowed: above 0')
        self._squashing: str = chosen['squashing']  # set before the base class builds the policy
        super().__init__(_with_ranges(listed, ranges, PRESET_RANGES[preset]), ranges, num_ops, init)
        for operator in self.operators:
            # A half-open gate blends a rotation with the identity: singular beyond 90 degrees.
            if operator.name == 'Rotate' and operator.limit > 90:
                raise ValueError(
                    f'range of operator Rotate is {operator.limit:g}; allowed: 0 to 90 degrees, or '
                    "dict(type='tst_mm.LearnedAugmenter'), whose gates are not relaxed"
                )
        self.temperature = temperature
        self.sharing: str = chosen['sharing']
        self.sign: str = chosen['sign']
        self.gate: str = chosen['gate']
        self.composition: str = chosen['composition']
        self.coordinates: str = chosen['coordinates']
        self.clamp: bool = chosen['clamp']
        self._host: tuple[Any, Tensor, Tensor] | None = None

    def build_policy(
        self, operators: Sequence[Operator], init: Mapping[str, Any] | str | Path | None
    ) -> PaperPolicy:
        """Build the policy over these operators, with this augmenter's squashing."""
        return PaperPolicy(operators, init, self._squashing)

    @property
    def labels_follow(self) -> bool:
        """Whether a draw has one map that boxes and label maps can follow."""
        return self.composition != 'residual'

    def application(self) -> dict[str, Any]:
        """How the policy is applied: ``sign`` is the argument, ``magnitudes`` are ``'fixed'``."""
        return {**super().application(), 'sign': self.sign, 'magnitudes': 'fixed'}

    def forward(
        self, inputs: Tensor, sizes: Sequence[tuple[int, int]] | None = None, relaxed: bool = False
    ) -> tuple[Tensor, Draw]:
        """Draw for every image of a batch, and apply what was drawn.

        Args:
            inputs: The batch, (B, C, H, W), normalised as ``self.normalization`` says; it is never
                modified.
            sizes: The height and width of the valid area of each image, in pixels.
            relaxed: Whether gates are differentiable, for the augmenter stage. Defaults to False.
        """
        height, width = inputs.shape[-2:]
        draw = self.draw(sizes or [(height, width)] * len(inputs), relaxed).to(inputs.device)
        return self.transform(inputs, draw), draw

    def draw(self, sizes: Sequence[tuple[int, int]], relaxed: bool = False) -> Draw:
        """Draw operators, gates, signs and positions for a batch.

        Args:
            sizes: The height and width of the valid area of each image, in pixels.
            relaxed: Whether gates are differentiable, on the device of the policy. Otherwise
                (default) the draw is on the host, or, where ``gate`` is ``'relaxed'``, relaxed
                without gradient.
        """
        if relaxed:
            return self._relaxed_draw(sizes)
        if self.gate == 'relaxed':
            with torch.no_grad():
                return self._relaxed_draw(sizes)
        noise = self.noise(len(sizes))
        logits, magnitudes = self._host_policy()
        return self.assemble(sizes, noise, noise.drawn & hard_gate(logits, noise.gates), magnitudes)

    def noise(self, batch: int, rows: int | None = None) -> Noise:
        """Draw the random numbers: one row where a batch shares them, and only allowed signs."""
        noise = super().noise(batch, 1 if self.sharing == 'batch' else rows)
        if self.sign == 'positive':
            noise.signs.fill_(1.0)
        return noise

    def compose(self, gates: Tensor, levels: Tensor, extents: Tensor) -> Tensor:
        """Compose the maps of a draw; they are the identity where there is no single map."""
        if not self.labels_follow:
            return torch.eye(3, device=gates.device).expand(len(gates), 3, 3)
        styles = (self.composition, self.coordinates)
        return compose(self.operators, gates, levels, extents, *styles)

    def act(self, images: Tensor, draw: Draw, mask: Tensor | None) -> Tensor:
        """Let the operators of a draw act, composed as the argument says."""
        setting = PaperSetting(self.normalization, mask, self.clamp, self.coordinates)
        return COMPOSITIONS[self.composition](images, draw, setting)

    def _relaxed_draw(self, sizes: Sequence[tuple[int, int]]) -> RelaxedDraw:
        """Draw half-open gates on the policy's device, differentiable where gradients are on."""
        shape = (len(sizes), len(self.operators))
        noise = self.noise(len(sizes))
        logits, magnitudes = self.policy.gate_logits(), self.policy.magnitudes()
        self._host = None  # an optimiser's step follows, which versions may not show
        uniform, drawn, positions, extents, signs = (
            tensor.to(logits.device, non_blocking=True)
            for tensor in (
                noise.gates,
                noise.drawn,
                noise.positions,
                torch.tensor(sizes, dtype=torch.float32).view(-1, 2),
                noise.signs,
            )
        )
        gates = (relaxed_gate(logits, uniform, self.temperature) * drawn).expand(shape)
        levels = (signs * magnitudes).expand(shape)
        acts = noise.drawn.expand(shape)
        moves = [isinstance(op, GeometricOperator) and self.labels_follow for op in self.operators]
        moved = (acts & torch.tensor(moves)).any(1)
        return RelaxedDraw(
            operators=self.operators,
            gates=gates,
            magnitudes=magnitudes.expand(shape),
            levels=levels,
            positions=positions,
            sizes=tuple((int(h), int(w)) for h, w in sizes),
            extents=extents,
            acted_on=tuple(None if all(c) else true_positions(c) for c in acts.T.tolist()),
            matrix=self.compose(gates, levels, extents),
            moved_images=true_positions(moved.tolist()),
        )

    def _host_policy(self) -> tuple[Tensor, Tensor]:
        """Gate logits and magnitudes on the host, which are read again only after a change."""
        parameters = (self.policy.probability_logits, self.policy.magnitude_logits)
        state = tuple((p.data_ptr(), p._version) for p in parameters)
        if self._host is None or self._host[0] != state:
            logits = self.policy.gate_logits().detach().cpu()
            self._host = (state, logits, self.policy.magnitudes().detach().cpu())
        return self._host[1], self._host[2]


def _with_ranges(operators: Any, ranges: Any, defaults: Mapping[str, Mapping[str, Any]]) -> Any:
    """Give operators that come without arguments those of the preset."""
    if not isinstance(operators, Sequence):
        return operators  # the base class raises the error
    silent = [name for name in defaults if not isinstance(ranges, Mapping) or name not in ranges]
    return [
        {'type': name, **defaults[name]}
        if (name := entry.get('type') if isinstance(entry, Mapping) else entry) in silent
        and (isinstance(entry, str) or len(entry) == 1)
        else entry
        for entry in operators
    ]
