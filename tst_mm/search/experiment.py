"""Effects of operators on an objective, with their standard errors: a factorial experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: Part of a regressor's variance below which it counts as constant.
_CONSTANT = 1e-12
#: Part of other effects in an estimate from which on it is no estimate.
_OWN = 1e-6


@dataclass(frozen=True)
class Effects:
    """What is known of N operators; all tensors are float64 on the host.

    Attributes:
        main (Tensor): (N,) change of the objective where an operator acts at half of its range,
            others being as drawn. Negative where it makes images worth teaching.
        main_error (Tensor): (N,) standard errors; infinite where nothing is known.
        slope (Tensor): (N,) further change from magnitude 0 to magnitude 1; 0 for operators without
            a magnitude.
        slope_error (Tensor): (N,) standard errors; infinite where nothing is known.
        spread (float): Standard deviation of one image's objective around what the effects say.
        count (float): Observations that the effects rest on; those of earlier stages count less.
    """

    main: Tensor
    main_error: Tensor
    slope: Tensor
    slope_error: Tensor
    spread: float
    count: float

    def known(self) -> Tensor:
        """(N,) bool, True where a main effect is at least twice its standard error."""
        return self.main.abs() >= 2 * self.main_error


class FactorialExperiment:
    """Least squares of an objective on what was drawn, over stages that are forgotten slowly.

    Operators are the factors of the experiment. The model of an observation is
    ``y = c_group + sum_n e_n a_n + k_n a_n (v_n - 1/2)``, where a_n tells whether operator n acts
    and v_n is its magnitude. Every group has a constant of its own, which takes with it whatever
    differs between groups: the stage, the student's progress, the difficulty of an image that is
    drawn several times. What is kept are sums of squares and products, so that memory and time do
    not depend on the number of observations, and ranks can add theirs up.

    With ``forgetting=1`` the estimates are those of ordinary least squares with one constant a
    group; otherwise the sums of earlier stages are multiplied by it at each new stage, and errors
    are those of the weighted estimate.

    Args:
        with_magnitude: (N,) for each operator whether its magnitude varies; without, it has no
            slope.
        forgetting: Weight of a stage when the next one ends, in (0, 1]. Defaults to 1.

    Raises:
        ValueError: ``forgetting`` is outside of its range.
    """

    def __init__(self, with_magnitude: Sequence[bool], forgetting: float = 1.0) -> None:
        number = isinstance(forgetting, (int, float)) and not isinstance(forgetting, bool)
        if not number or not 0 < forgetting <= 1:
            raise ValueError(f'forgetting is {forgetting!r}; allowed: above 0, at most 1')
        self.with_magnitude = torch.tensor(with_magnitude, dtype=torch.bool)
        self.num_operators = len(with_magnitude)
        self.forgetting = float(forgetting)
        size = 2 * self.num_operators
        #: Sums over observations, centred in their groups: of products of regressors, the same
        #: with squared weights, of regressors times objective, of squared objectives; degrees of
        #: freedom and number of observations.
        self._sums: dict[str, Tensor] = {
            'xx': torch.zeros(size, size, dtype=torch.float64),
            'xx_squared': torch.zeros(size, size, dtype=torch.float64),
            'xy': torch.zeros(size, dtype=torch.float64),
            'yy': torch.zeros((), dtype=torch.float64),
            'freedom': torch.zeros((), dtype=torch.float64),
            'count': torch.zeros((), dtype=torch.float64),
        }

    def observe(
        self,
        gates: Tensor,
        magnitudes: Tensor,
        values: Tensor,
        groups: Sequence[int] | Tensor | None = None,
        images: int = 1,
    ) -> None:
        """Add observations. What is no number is left out.

        Args:
            gates: (n, N) in [0, 1]: whether each operator acted; for a mean over images the part
                of them on which it did.
            magnitudes: (n, N) in [0, 1]; for a mean over images that of those on which it acted.
            values: (n,) the objective.
            groups: (n,) whole numbers; observations of one number have a constant in common. None
                takes all of this call as one group.
            images: Over how many images each value is a mean. Defaults to 1.
        """
        gates, magnitudes, values = (t.detach().double().cpu() for t in (gates, magnitudes, values))
        deviation = torch.where(self.with_magnitude, magnitudes - 0.5, 0.0)
        design = torch.cat((gates, gates * deviation), dim=1)
        index = torch.zeros(len(values), dtype=torch.long)
        if groups is not None:
            index = torch.as_tensor(groups, dtype=torch.long).unique(return_inverse=True)[1]
        kept = values.isfinite()
        design, values, index = design[kept], values[kept], index[kept]
        if not len(values):
            return
        design, values = _centred(design, index), _centred(values, index)
        products = design.T @ design * images
        new = {
            'xx': products,
            'xx_squared': products,
            'xy': design.T @ values * images,
            'yy': values @ values * images,
            'freedom': torch.tensor(float(len(values) - len(index.unique()))),
            'count': torch.tensor(float(len(values))),
        }
        for name, value in new.items():
            self._sums[name] = self._sums[name] + value

    def forget(self) -> None:
        """Let what was observed so far count less; at the begin of a stage."""
        for name in self._sums:
            power = 2 if name == 'xx_squared' else 1
            self._sums[name] = self._sums[name] * self.forgetting**power

    def merge(self, sums: Mapping[str, Tensor]) -> None:
        """Add the sums of another experiment over the same operators."""
        for name, value in sums.items():
            self._sums[name] = self._sums[name] + value.to(self._sums[name])

    def effects(self) -> Effects:
        """What is known now; what no draw told apart is shared out evenly and counts as unknown."""
        sums, size = self._sums, self.num_operators
        scale = sums['xx'].diagonal()
        used = scale > _CONSTANT * max(1.0, float(sums['count']))
        estimates = torch.zeros(2 * size, dtype=torch.float64)
        errors = torch.full_like(estimates, torch.inf)
        spread = 0.0
        if used.any():
            products = sums['xx'][used][:, used]
            inverse = torch.linalg.pinv(products, hermitian=True, rtol=1e-10)
            # How much of each estimate is its own effect; the rest is that of others.
            own = (inverse @ products).diagonal()
            estimates[used] = inverse @ sums['xy'][used]
            sandwich = inverse @ sums['xx_squared'][used][:, used]
            freedom = float(sums['freedom'] - sandwich.trace())
            residual = float(sums['yy'] - estimates @ sums['xy'])
            if freedom >= 1:
                variance = max(residual, 0.0) / freedom
                spread = variance**0.5
                error = (variance * (sandwich @ inverse).diagonal()).clamp(min=0).sqrt()
                errors[used] = torch.where(own > 1 - _OWN, error, torch.inf)
        main, slope = estimates.split(size)
        main_error, slope_error = errors.split(size)
        return Effects(main, main_error, slope, slope_error, spread, float(sums['count']))

    def state_dict(self) -> dict[str, Any]:
        """What a resume needs."""
        return dict(self._sums)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Continue from :meth:`state_dict`.

        Raises:
            ValueError: The state is of an experiment over another number of operators.
        """
        for name, value in self._sums.items():
            if name not in state or state[name].shape != value.shape:
                raise ValueError(
                    f'the state of the experiment has no {name} of shape {tuple(value.shape)}; '
                    f'allowed: that of {self.num_operators} operators'
                )
            self._sums[name] = state[name].double().clone()


def _centred(values: Tensor, groups: Tensor) -> Tensor:
    """(n, ...) values less the mean of their group; groups are (n,) and count from 0."""
    total = int(groups.max()) + 1
    size = values.new_zeros(total).index_add_(0, groups, values.new_ones(len(values)))
    sums = values.new_zeros(total, *values.shape[1:]).index_add_(0, groups, values)
    sizes = size.clamp(min=1).view(-1, *[1] * (values.dim() - 1))
    return values - (sums / sizes)[groups]
