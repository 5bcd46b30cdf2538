"""The policy: how often each operator acts and how strongly; 25 scalars for the paper's 14."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.utils import closest, reject_unknown_keys

from .operators import Operator
from .policy_file import POLICY_VERSION, check_policy, check_share, read_policy

#: Rates and magnitudes read from a file or a config stay this far from 0 and 1, where the
#: logit is infinite.
_MARGIN = 1e-4
#: Rates that a sigmoid of a sigmoid reaches, the upper end rounded up.
_CONFINED = (0.5, 0.7311)


class AugmentPolicy(nn.Module):
    """Learned rates and magnitudes of a list of operators (paper, section 3).

    Magnitudes are sigmoids of the parameters and reach all of (0, 1), as do rates by default.

    Args:
        operators: In index order, with distinct names.
        init: Where to start: None for 0.5 everywhere; a dict with ``rate`` and/or ``magnitude``,
            each a number in [0, 1] or a dict from operator name to number; or the path of a
            policy file.
        squashing: ``'single'`` (default): the parameter is the logit of the rate. ``'double'``
            (the reference): its sigmoid is, which confines the rate to (0.5, 0.7311) and starts
            it at 0.6225. Rates in ``init`` and in files are true ones in either case.

    Raises:
        KeyError: When ``init`` has an unknown key or operator.
        ValueError: When a number is outside what the policy can reach or the file is of another
            version.
    """

    _learned_index: Tensor

    def __init__(
        self,
        operators: Sequence[Operator],
        init: Mapping[str, Any] | str | Path | None = None,
        squashing: str = 'single',
    ) -> None:
        super().__init__()
        if squashing not in ('single', 'double'):
            raise ValueError(
                f'squashing is {squashing!r}; {closest(squashing, ("single", "double"))}'
            )
        self.squashing = squashing
        self.operators = tuple(operators)
        self.names = tuple(operator.name for operator in operators)
        self.learned = tuple(i for i, operator in enumerate(operators) if operator.has_magnitude)
        self.probability_logits = nn.Parameter(torch.zeros(len(self.names)))
        self.magnitude_logits = nn.Parameter(torch.zeros(len(self.learned)))
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

    def gate_logits(self) -> Tensor:
        """(N,) logit of each operator's rate, differentiable."""
        if self.squashing == 'double':
            return torch.sigmoid(self.probability_logits)
        return self.probability_logits

    def rates(self) -> Tensor:
        """(N,) rate of each operator in (0, 1), differentiable."""
        return torch.sigmoid(self.gate_logits())

    def magnitudes(self) -> Tensor:
        """(N,) magnitude of each operator in (0, 1), differentiable; 1 where it is not learned."""
        ones = self.magnitude_logits.new_ones(len(self.names))
        return ones.index_copy(0, self._learned_index, torch.sigmoid(self.magnitude_logits))

    def summary(self) -> dict[str, dict[str, Any]]:
        """Per operator: rate, magnitude (None where not learned), physical value and its unit."""
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
        """Take over rates and magnitudes; operators not named in ``data`` keep theirs.

        Raises:
            KeyError: When ``data`` names an operator that this policy does not have.
            ValueError: When the version is newer, a number is outside [0, 1], or an operator's
                range differs, with which magnitudes would mean something else.
        """
        check_policy(data)
        entries = data['operators']
        own = {operator.name: operator.limit for operator in self.operators}
        for entry in entries:
            limit = own.get(entry['name'])
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
    def _set(self, what: str, values: Mapping[str, float] | float) -> None:
        """Set rates or magnitudes, by name or all at once."""
        logits = self.probability_logits if what == 'rate' else self.magnitude_logits
        slots = range(len(self.names)) if what == 'rate' else self.learned
        position = {self.names[slot]: i for i, slot in enumerate(slots)}
        if not isinstance(values, Mapping):
            values = dict.fromkeys(position, values)
        for name, value in values.items():
            if name not in position:
                raise KeyError(f'the policy has no {what} of {name!r}; {closest(name, position)}')
            squashed = what == 'rate' and self.squashing == 'double'
            check_share(f'{what} of {name}', value, *(_CONFINED if squashed else (0, 1)))
            logit = _logit(value)
            logits[position[name]] = _logit(logit) if squashed else logit


def _logit(value: float) -> float:
    """Logit of a number in [0, 1], finite at the ends."""
    inside = min(max(float(value), _MARGIN), 1 - _MARGIN)
    return math.log(inside / (1 - inside))
