"""LearnedAugmenter: draws operators by a policy and applies them to a normalised batch."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.registry import MODELS, OPERATORS
from tst_mm.utils import closest, reject_unknown_keys

from .draw import Draw, compose
from .gate import hard_gate, relaxed_gate
from .normalization import Normalization
from .operators import (
    DEFAULT_OPERATORS,
    ColorOperator,
    EraseOperator,
    GeometricOperator,
    ImageInfo,
    Operator,
)
from .policy import AugmentPolicy
from .warp import valid_mask, warp_images

_EPSILON = torch.finfo(torch.float32).eps


@MODELS.register_module()
class LearnedAugmenter(nn.Module):
    """Learned data augmentation of the student's input (paper, section 3).

    Colour operators act in sequence, then all geometry as one affine map that is sampled once,
    then erasing. Values stay in the range of an image, padding stays as it is, and where nothing
    acts the output is the input, bit for bit.

    Args:
        operators: Names, or dicts with ``type`` and the operator's arguments, in the order of the
            policy's indices. Defaults to the 14 of the paper.
        ranges: Physical value at magnitude 1 by operator name, instead of the operator's own.
        num_ops: How many operators are drawn for an image, without replacement. Defaults to 4.
        temperature: Of the relaxed gates, positive. Defaults to 0.05.
        sharing: ``'sample'`` draws for every image (default), ``'batch'`` once for the batch
            (the reference).
        sign: ``'random'`` draws the sign of signed operators (default), ``'positive'`` does not
            (the reference).
        init: Start of the policy, see :class:`AugmentPolicy`.

    Raises:
        KeyError: Unknown operator or range.
        ValueError: A value outside what is allowed.

    Example:
        >>> augmenter = dict(type='tst_mm.LearnedAugmenter', num_ops=3, ranges=dict(Rotate=45))
    """

    def __init__(
        self,
        operators: Sequence[str | Mapping[str, Any]] = DEFAULT_OPERATORS,
        ranges: Mapping[str, float] | None = None,
        num_ops: int = 4,
        temperature: float = 0.05,
        sharing: str = 'sample',
        sign: str = 'random',
        init: Mapping[str, Any] | str | Path | None = None,
    ) -> None:
        super().__init__()
        built = _build_operators(operators, dict(ranges or {}))
        if type(num_ops) is not int or not 1 <= num_ops <= len(built):
            raise ValueError(f'num_ops is {num_ops!r}; allowed: 1 to {len(built)} (operators)')
        if not isinstance(temperature, (int, float)) or not temperature > 0:
            raise ValueError(f'temperature is {temperature!r}; allowed: above 0')
        for key, value, allowed in (
            ('sharing', sharing, ('sample', 'batch')),
            ('sign', sign, ('random', 'positive')),
        ):
            if value not in allowed:
                raise ValueError(f'{key} is {value!r}; {closest(value, allowed)}')
        self.policy = AugmentPolicy(built, init)
        self.normalization = Normalization()
        self.num_ops = num_ops
        self.temperature = temperature
        self.sharing = sharing
        self.sign = sign
        self._generator = torch.Generator()
        self._host: tuple[Any, Tensor, Tensor] | None = None
        self.reseed(torch.initial_seed())

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
            relaxed: Differentiable gates on the policy's device; otherwise a draw on the host.
        """
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
            logits, magnitudes = self.policy.probability_logits, self.policy.magnitudes()
            self._host = None  # an optimiser's step follows; fused ones leave no trace in versions
            device = logits.device
            gates = relaxed_gate(logits, noise.to(device), self.temperature) * acts.to(device)
            positions, extents, sign = (t.to(device) for t in (positions, extents, sign))
        else:
            logits, magnitudes = self._host_policy()
            acts &= hard_gate(logits, noise)
            gates = acts.float()
        expand = (batch, count)
        gates, levels = gates.expand(expand), (sign * magnitudes).expand(expand)
        acts = acts.expand(expand)
        moves = torch.tensor([isinstance(op, GeometricOperator) for op in self.operators])
        moved = (acts & moves).any(1)
        return Draw(
            operators=self.operators,
            gates=gates,
            levels=levels,
            positions=positions,
            sizes=tuple((int(h), int(w)) for h, w in sizes),
            extents=extents,
            samples=tuple(_indices(column) for column in acts.unbind(1)),
            matrix=compose(self.operators, gates, levels, extents),
            moved=_indices(moved),
            moved_images=tuple(moved.nonzero().flatten().tolist()),
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
            images = self._apply_color(exact, draw, mask)
            images = warp_images(images, draw.matrix, draw.moved, mask)
            images = self._apply_erase(images, draw)
            if mask is not None:
                images = torch.where(mask, images, exact)
        return images.to(inputs.dtype)

    def _apply_color(self, inputs: Tensor, draw: Draw, mask: Tensor | None) -> Tensor:
        """Colour operators in sequence on values in [0, 1]; the change goes back to the input."""
        info = ImageInfo(self.normalization.luma(inputs.shape[1]), mask)
        before = pixels = self.normalization.to_unit(inputs)
        for i, operator, index in _acting(draw, ColorOperator):
            old = _take(pixels, index)
            level = _take(draw.levels[:, i], index)[:, None, None, None]
            gate = _take(draw.gates[:, i], index)[:, None, None, None]
            new = operator.apply(old, level.to(old.dtype), info.select(index))
            new = torch.lerp(old, new, gate.to(old.dtype))
            if index is None:
                pixels = new
            else:
                pixels = pixels.clone() if pixels is before else pixels
                pixels.index_copy_(0, index, new)
        if pixels is before:
            return inputs
        return inputs + self.normalization.delta_to_input(pixels - before)

    @staticmethod
    def _apply_erase(images: Tensor, draw: Draw) -> Tensor:
        """Erase regions with 0, the network's mean colour."""
        height, width = images.shape[-2:]
        for i, operator, index in _acting(draw, EraseOperator):
            region = operator.region(
                _take(draw.levels[:, i], index),
                _take(draw.positions, index),
                _take(draw.extents, index),
                height,
                width,
            )
            gate = _take(draw.gates[:, i], index)[:, None, None, None]
            kept = _take(images, index) * (1 - gate * region).to(images.dtype)
            images = kept if index is None else images.index_copy(0, index, kept)
        return images

    def _host_policy(self) -> tuple[Tensor, Tensor]:
        """Probability logits and magnitudes on the host, read again only after a change."""
        parameters = (self.policy.probability_logits, self.policy.magnitude_logits)
        state = tuple((p.data_ptr(), p._version) for p in parameters)
        if self._host is None or self._host[0] != state:
            logits = self.policy.probability_logits.detach().cpu()
            self._host = (state, logits, self.policy.magnitudes().detach().cpu())
        return self._host[1], self._host[2]


def _build_operators(
    operators: Sequence[str | Mapping[str, Any]], ranges: dict[str, float]
) -> list[Operator]:
    """Operators from names and dicts, with ranges put in."""
    built: list[Operator] = []
    for entry in operators:
        config: dict[str, Any] = {'type': entry} if isinstance(entry, str) else dict(entry)
        name = config.pop('type', None)
        kind = OPERATORS.get(name) if isinstance(name, str) else None
        if kind is None:
            raise KeyError(f'unknown operator {name!r}; {closest(name, OPERATORS.module_dict)}')
        if kind.__name__ in ranges:
            config['limit'] = ranges.pop(kind.__name__)
        parameters = inspect.signature(kind).parameters
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values()):
            reject_unknown_keys(f'operator {name}', config, parameters)
        # Not OPERATORS.build, which warns when a config's default scope is another library.
        built.append(kind(**config))
    names = [operator.name for operator in built]
    if ranges:
        raise KeyError(
            f'ranges has no operator {next(iter(ranges))!r}; {closest(next(iter(ranges)), names)}'
        )
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f'operators lists {sorted(repeated)} twice; allowed: each name once')
    return built


def _indices(column: Tensor) -> Tensor | None:
    """(B,) bool on the host -> (k,) positions of True; None when all are."""
    return None if bool(column.all()) else column.nonzero().flatten()


def _take(tensor: Tensor, index: Tensor | None) -> Tensor:
    """Rows at ``index``; all of them, without a copy, for None."""
    return tensor if index is None else tensor.index_select(0, index)


def _acting(draw: Draw, family: type[Operator]) -> Iterator[tuple[int, Any, Tensor | None]]:
    """Index, operator and images of the operators of a family that act on at least one image."""
    for i, (operator, index) in enumerate(zip(draw.operators, draw.samples, strict=True)):
        if isinstance(operator, family) and (index is None or index.numel()):
            yield i, operator, index
