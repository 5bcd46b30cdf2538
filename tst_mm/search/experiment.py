"""Effects of operators on an objective, with their standard errors: a factorial experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: An effect is known from so many standard errors on.
KNOWN = 2
#: A regressor counts as constant where its variance within groups is not above this.
_CONSTANT = 1e-12
#: An estimate that mixes in more than this part of other effects is none.
_MIXED = 1e-6


@dataclass(frozen=True)
class Effects:
    """What is known of N operators; all tensors are float64 on the host.

    Attributes:
        main (Tensor): The main effects, (N,): how the objective changes where an operator acts at
            half of its range, the others being as drawn. Negative where the operator makes images
            worth teaching.
        main_error (Tensor): The standard errors of the main effects, (N,); infinite where nothing
            is known.
        slope (Tensor): The slopes, (N,): the further change from magnitude 0 to magnitude 1; 0 for
            operators without a magnitude.
        slope_error (Tensor): The standard errors of the slopes, (N,); infinite where nothing is
            known.
        spread (float): The standard deviation of a single image's objective around what the
            effects say.
        count (float): The number of observations that the effects rest on; those of earlier stages
            count less.
    """

    main: Tensor
    main_error: Tensor
    slope: Tensor
    slope_error: Tensor
    spread: float
    count: float

    def known(self) -> Tensor:
        """Whether each main effect is at least twice its standard error, (N,) bool."""
        return self.main.abs() >= KNOWN * self.main_error


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
        with_magnitude: Whether the magnitude of each operator varies, (N,); an operator without
            one has no slope.
        forgetting: The weight of a stage when the next one ends, in (0, 1]. Defaults to 1.

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
        """Add observations; those whose value is no number are left out.

        Args:
            gates: Whether each operator acted, (n, N) in [0, 1]; for a mean over images the part
                of them on which it did.
            magnitudes: The magnitudes, (n, N) in [0, 1]; for a mean over images the mean magnitude
                of those on which the operator acted.
            values: The values of the objective, (n,).
            groups: The group of each observation, (n,) whole numbers; observations of one group
                have a constant in common. None (default) takes all of this call as one group.
            images: The number of images that each value is a mean over. Defaults to 1.
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
        """Let what was observed so far count less; called when a stage begins."""
        for name in self._sums:
            power = 2 if name == 'xx_squared' else 1
            self._sums[name] = self._sums[name] * self.forgetting**power

    def merge(self, sums: Mapping[str, Tensor]) -> None:
        """Add the sums of another experiment over the same operators."""
        for name, value in sums.items():
            self._sums[name] = self._sums[name] + value.to(self._sums[name])

    def effects(self) -> Effects:
        """What is known now; effects that no draw told apart are shared out, and are unknown."""
        sums, size = self._sums, self.num_operators
        scale = sums['xx'].diagonal()
        used = scale > _CONSTANT * max(1.0, float(sums['count']))
        estimates = torch.zeros(2 * size, dtype=torch.float64)
        errors = torch.full_like(estimates, torch.inf)
        spread = 0.0
        if used.any():
            products = sums['xx'][used][:, used]
            inverse = torch.linalg.pinv(products, hermitian=True, rtol=1e-10)
            # How much of each estimate is the effect itself; the rest comes from other effects.
            resolved = (inverse @ products).diagonal()
            estimates[used] = inverse @ sums['xy'][used]
            sandwich = inverse @ sums['xx_squared'][used][:, used]
            freedom = float(sums['freedom'] - sandwich.trace())
            residual = float(sums['yy'] - estimates @ sums['xy'])
            if freedom >= 1:
                variance = max(residual, 0.0) / freedom
                spread = variance**0.5
                error = (variance * (sandwich @ inverse).diagonal()).clamp(min=0).sqrt()
                errors[used] = torch.where(resolved > 1 - _MIXED, error, torch.inf)
        main, slope = estimates.split(size)
        main_error, slope_error = errors.split(size)
        return Effects(main, main_error, slope, slope_error, spread, float(sums['count']))

    def state_dict(self) -> dict[str, Any]:
        """The state that a resumed run continues from."""
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
    """Subtract from values, (n, ...), the mean of their group; groups, (n,), count from 0."""
    total = int(groups.max()) + 1
    size = values.new_zeros(total).index_add_(0, groups, values.new_ones(len(values)))
    sums = values.new_zeros(total, *values.shape[1:]).index_add_(0, groups, values)
    sizes = size.clamp(min=1).view(-1, *[1] * (values.dim() - 1))
    return values - (sums / sizes)[groups]
