"""PaperPolicy: rates and magnitudes as parameters that a gradient moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.augment import AugmentPolicy
from tst_mm.augment.operators import Operator
from tst_mm.augment.policy import finite_logit
from tst_mm.utils import closest

#: The rates that a sigmoid of a sigmoid can reach, the upper end rounded up.
_CONFINED = (0.5, 0.7311)


class PaperPolicy(AugmentPolicy):
    """Learned rates and magnitudes (paper, section 3); the magnitude is the same for all images.

    Magnitudes are sigmoids of the parameters. The policy goes to the device of the images.

    Args:
        operators: The operators, with distinct names, in the order of their indices.
        init: What the policy starts from, see :class:`AugmentPolicy`; a magnitude is the same for
            all images.
        squashing: How a parameter becomes a rate. ``'double'`` (default, the reference): the
            sigmoid of the parameter is the logit of the rate, which confines the rate to (0.5,
            0.7311) and starts it at 0.6225. ``'single'``: the parameter is the logit. Rates in
            ``init`` and in files are true ones in either case.

    Attributes:
        probability_logits (nn.Parameter): The parameter of each rate, (N,).
        magnitude_logits (nn.Parameter): The logit of each learned magnitude, (M,).

    Raises:
        KeyError: ``init`` has an unknown key or operator, as in :class:`AugmentPolicy`.
        ValueError: A number is out of range, as in :class:`AugmentPolicy`, or ``squashing`` is
            unknown.
    """

    def __init__(
        self,
        operators: Sequence[Operator],
        init: Mapping[str, Any] | str | Path | None = None,
        squashing: str = 'double',
    ) -> None:
        if squashing not in ('single', 'double'):
            raise ValueError(
                f'squashing is {squashing!r}; {closest(squashing, ("single", "double"))}'
            )
        self.squashing = squashing  # set before the base class sets rates
        super().__init__(operators, init)

    @property
    def rate_range(self) -> tuple[float, float]:
        """The lowest and the highest rate that the policy can reach."""
        return _CONFINED if self.squashing == 'double' else (0.0, 1.0)

    def make_parameters(self) -> None:
        """Create the parameters with the values that they have before ``init`` is read."""
        self.probability_logits = nn.Parameter(torch.zeros(len(self.names)))
        self.magnitude_logits = nn.Parameter(torch.zeros(len(self.learned)))

    def gate_logits(self) -> Tensor:
        """The logit of each operator's rate, (N,), differentiable."""
        if self.squashing == 'double':
            return torch.sigmoid(self.probability_logits)
        return self.probability_logits

    def rates(self) -> Tensor:
        """The rate of each operator, (N,) in (0, 1), differentiable."""
        return torch.sigmoid(self.gate_logits())

    def magnitudes(self) -> Tensor:
        """The magnitudes, (N,) in (0, 1), differentiable; 1 where they are not learned."""
        return self.for_all(torch.sigmoid(self.magnitude_logits))

    def sample_magnitudes(self, uniform: Tensor) -> Tensor:
        """The magnitudes, (B, N), which are the same for all images, whatever the noise is."""
        return self.magnitudes().expand_as(uniform)

    def set_rate(self, index: int, rate: float) -> None:
        """Set the rate of one operator, as near as the policy can reach it."""
        logit = finite_logit(rate)
        self.probability_logits[index] = (
            finite_logit(logit) if self.squashing == 'double' else logit
        )

    def set_magnitude(self, index: int, magnitude: float) -> None:
        """Set the magnitude of one operator, as near to 0 or 1 as its logit is finite."""
        self.magnitude_logits[index] = finite_logit(magnitude)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> PaperPolicy:
        return nn.Module._apply(self, fn, recurse)
