"""The policy: how often each operator acts and how strongly; 25 scalars for the paper's 14."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.utils import closest, reject_unknown_keys

from .density import tilt_of_mean, tilted_mean, tilted_sample
from .operators import Operator
from .policy_file import POLICY_VERSION, check_policy, check_share, read_policy

#: Rates from a file or a config stay this far from 0 and 1, where the logit is infinite.
_MARGIN = 1e-4
#: A rate below this is the choice that an operator never acts.
_NEVER = 2e-4


class AugmentPolicy(nn.Module):
    """Rates and magnitudes of a list of operators (paper, section 3).

    An operator acts on an image with probability ``rate``, the sigmoid of its logit. The magnitude
    of an image is drawn from the density on [0, 1] proportional to ``exp(tilt * v)``: uniform at
    tilt 0, the point 0 or 1 at an infinite tilt. The policy is set, not trained: its parameters
    ask for no gradient. It stays on the host, where draws are made.

    Args:
        operators: The operators, with distinct names, in the order of their indices.
        init: What the policy starts from: None (default) for each operator's own rate and uniform
            magnitudes; a dict with ``rate`` and/or ``magnitude``, each a number in [0, 1] or a
            dict from operator name to number; or the path of a policy file. A magnitude is the
            mean of its density; 0 and 1 are exact.

    Attributes:
        probability_logits (nn.Parameter): The logit of each rate, (N,).
        magnitude_tilts (nn.Parameter): The tilt of the density of each operator that has a
            magnitude, (M,).

    Raises:
        KeyError: ``init`` has an unknown key or operator.
        ValueError: A number is outside what the policy can reach, or the file is of another
            version.
    """

    probability_logits: nn.Parameter
    magnitude_tilts: nn.Parameter
    _learned_index: Tensor

    def __init__(
        self,
        operators: Sequence[Operator],
        init: Mapping[str, Any] | str | Path | None = None,
    ) -> None:
        super().__init__()
        self.operators = tuple(operators)
        self.names = tuple(operator.name for operator in operators)
        self.learned = tuple(i for i, operator in enumerate(operators) if operator.has_magnitude)
        self.make_parameters()
        index = torch.tensor(self.learned, dtype=torch.long)
        self.register_buffer('_learned_index', index, persistent=False)
        if isinstance(init, Mapping):
            reject_unknown_keys('init of the policy', init, ('rate', 'magnitude'))
            self._set('rate', init.get('rate', {}))
            self._set('magnitude', init.get('magnitude', {}))
        elif isinstance(init, (str, Path)):
            self.from_dict(read_policy(init))
        elif init is not None:
            raise ValueError(
                f'init of the policy is {init!r}; allowed: None, a dict with rate and magnitude, '
                'or the path of a policy file'
            )

    @property
    def rate_range(self) -> tuple[float, float]:
        """The lowest and the highest rate that the policy can reach."""
        return 0.0, 1.0

    def make_parameters(self) -> None:
        """Create the parameters with the values that they have before ``init`` is read."""
        logits = torch.tensor([finite_logit(operator.rate) for operator in self.operators])
        tilts = torch.zeros(len(self.learned))
        self.probability_logits = nn.Parameter(logits, requires_grad=False)
        self.magnitude_tilts = nn.Parameter(tilts, requires_grad=False)

    def rates(self) -> Tensor:
        """The rate of each operator, (N,) in (0, 1)."""
        return torch.sigmoid(self.probability_logits)

    def magnitudes(self) -> Tensor:
        """The mean magnitude of each operator, (N,) in [0, 1]; 1 where it has none."""
        return self.for_all(tilted_mean(self.magnitude_tilts))

    def sample_magnitudes(self, uniform: Tensor) -> Tensor:
        """Draw magnitudes from the densities.

        Args:
            uniform: Uniform noise, (B, N) in [0, 1).

        Returns:
            The magnitudes, (B, N) in [0, 1]; 1 for operators without a magnitude.
        """
        sampled = tilted_sample(self.magnitude_tilts, uniform[:, self._learned_index])
        return torch.ones_like(uniform).index_copy(1, self._learned_index, sampled)

    def for_all(self, values: Tensor) -> Tensor:
        """Spread values of the M operators that have a magnitude to all, (N,); 1 for the others."""
        return values.new_ones(len(self.names)).index_copy(0, self._learned_index, values)

    def summary(self) -> dict[str, dict[str, Any]]:
        """Rate, mean magnitude (None where there is none), physical value and unit, by operator."""
        rates, magnitudes = self.rates().tolist(), self.magnitudes().tolist()
        return {
            operator.name: {
                'rate': rate,
                'magnitude': magnitude if operator.has_magnitude else None,
                'physical': float(operator.physical(magnitude)),
                'unit': operator.unit,
            }
            for operator, rate, magnitude in zip(self.operators, rates, magnitudes, strict=True)
        }

    def to_dict(self) -> dict[str, Any]:
        """The policy as plain data, ready for JSON; read back by :meth:`from_dict`."""
        entries = [{'name': name, **entry} for name, entry in self.summary().items()]
        for operator, entry in zip(self.operators, entries, strict=True):
            entry['limit'] = operator.limit
        return {'version': POLICY_VERSION, 'operators': entries}

    def from_dict(self, data: Mapping[str, Any]) -> None:
        """Take over rates and magnitudes; operators not named in ``data`` keep what they have.

        Raises:
            KeyError: ``data`` names an operator that this policy does not have.
            ValueError: The version is newer, a number is outside of [0, 1], or an operator has
                another range, with which its magnitude would mean something else.
        """
        check_policy(data)
        entries = data['operators']
        limits = {operator.name: operator.limit for operator in self.operators}
        for entry in entries:
            limit = limits.get(entry['name'])
            if None not in (limit, entry.get('limit')) and entry['limit'] != limit:
                raise ValueError(
                    f'policy was learned with range {entry["limit"]} of {entry["name"]}, this '
                    f'augmenter has {limit}; allowed: the same, ranges=dict({entry["name"]}='
                    f'{entry["limit"]})'
                )
        self._set('rate', {entry['name']: entry['rate'] for entry in entries})
        magnitudes = {entry['name']: entry.get('magnitude') for entry in entries}
        self._set('magnitude', {k: v for k, v in magnitudes.items() if v is not None})

    @torch.no_grad()
    def set_(self, logits: Tensor, tilts: Tensor) -> None:
        """Set all rates and densities at once.

        Args:
            logits: The logits of the rates, (N,); rates are kept from 1e-4 to 1 - 1e-4.
            tilts: The tilts of the densities, (N,); those of operators without a magnitude have no
                effect.
        """
        # No nearer to 0 and 1 than a file of the policy gives them back.
        self.probability_logits.copy_(logits.clamp(finite_logit(0), finite_logit(1)))
        self.magnitude_tilts.copy_(tilts[self._learned_index])

    @contextmanager
    def at_least(self, rate: float) -> Iterator[None]:
        """Let operators act at least at this rate for a while, but for those that never act.

        Args:
            rate: The least rate, in (0, 1).
        """
        logits = self.probability_logits.clone()
        raised = logits.clamp(min=finite_logit(rate))
        never = logits <= finite_logit(_NEVER)
        self.probability_logits.copy_(torch.where(never, logits, raised))
        try:
            yield
        finally:
            self.probability_logits.copy_(logits)

    def set_rate(self, index: int, rate: float) -> None:
        """Set the rate of one operator, as near to 0 or 1 as its logit is finite."""
        self.probability_logits[index] = finite_logit(rate)

    def set_magnitude(self, index: int, magnitude: float) -> None:
        """Set the mean magnitude of one operator, by its index among those that have one."""
        self.magnitude_tilts[index] = tilt_of_mean(magnitude)

    @torch.no_grad()
    def _set(self, what: str, values: Mapping[str, float] | float) -> None:
        """Set rates or magnitudes, by name or all at once."""
        slots = range(len(self.names)) if what == 'rate' else self.learned
        position = {self.names[slot]: i for i, slot in enumerate(slots)}
        if not isinstance(values, Mapping):
            values = dict.fromkeys(position, values)
        for name, value in values.items():
            if name not in position:
                raise KeyError(f'the policy has no {what} of {name!r}; {closest(name, position)}')
            reach = self.rate_range if what == 'rate' else (0.0, 1.0)
            check_share(f'{what} of {name}', value, *reach)
            (self.set_rate if what == 'rate' else self.set_magnitude)(position[name], value)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> AugmentPolicy:
        """Do nothing: a model that goes to a device leaves its policy on the host."""
        return self


def finite_logit(value: float) -> float:
    """The logit of a number in [0, 1], finite at either end."""
    inside = min(max(float(value), _MARGIN), 1 - _MARGIN)
    return math.log(inside / (1 - inside))
