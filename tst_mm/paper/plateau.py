"""The loss-plateau rule of the augmenter's learning rate (reference)."""

import math
from typing import Any


class LossPlateau:
    """Lower the learning rate after an augmenter epoch in which the loss hardly moved.

    An epoch is a plateau when its mean loss differs from the one before by less than
    ``min_drop_abs`` *and* by less than ``min_drop_rel`` of it. A clear rise is no plateau: the
    policy is on the move. Before the first epoch the loss counts as 999.

    Args:
        factor: The factor of the learning rate at a plateau, in (0, 1]. Defaults to 0.9.
        min_drop_abs: The absolute change from which on an epoch is no plateau, at least 0.
            Defaults to 0.02.
        min_drop_rel: The relative change from which on an epoch is no plateau, at least 0.
            Defaults to 0.02.

    Raises:
        ValueError: A value is outside what is allowed.
    """

    def __init__(
        self, factor: float = 0.9, min_drop_abs: float = 0.02, min_drop_rel: float = 0.02
    ) -> None:
        if not _is_number(factor) or not 0 < factor <= 1:
            raise ValueError(f'plateau.factor is {factor!r}; allowed: above 0, at most 1')
        for key, value in (('min_drop_abs', min_drop_abs), ('min_drop_rel', min_drop_rel)):
            if not _is_number(value) or not 0 <= value < math.inf:
                raise ValueError(f'plateau.{key} is {value!r}; allowed: from 0')
        self.factor = factor
        self.min_drop_abs = min_drop_abs
        self.min_drop_rel = min_drop_rel
        self.previous = 999.0

    def update(self, loss: float) -> float:
        """Take the mean loss of an epoch, and return the factor for the learning rate."""
        change = abs(self.previous - loss)
        plateau = change < self.min_drop_abs and change < self.min_drop_rel * abs(self.previous)
        self.previous = loss
        return self.factor if plateau else 1.0

    def state_dict(self) -> dict[str, Any]:
        """The state that a resumed run continues from."""
        return {'previous': self.previous}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self.previous = float(state['previous'])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
