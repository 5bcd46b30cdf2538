"""How many of the student's images are augmented: as many as its generalisation calls for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: How many time constants of the running means pass while the fraction goes from 0 to 1.
_CONSTANTS = 4


class AdaptiveAmount:
    """A controller of the fraction of augmented images.

    A student that has memorised its images imitates the teacher better on them than on images that
    it has never trained on: ``gap = 1 - D_seen / D_unseen`` of the running means of its
    distillation loss. The fraction rises while the gap is above a target and falls while it is
    below, as adaptive discriminator augmentation does for a discriminator (StyleGAN2-ADA), between
    0 and 1. Far from the target it moves at full speed, near it in proportion.

    Args:
        target: The gap that is held, in (0, 1).
        start: The fraction at the start, in [0, 1].
        looks: Measurements in which the fraction can go all the way from 0 to 1, positive.

    Raises:
        ValueError: A value outside of its range.
    """

    def __init__(self, target: float, start: float, looks: float) -> None:
        if not _is_number(target) or not 0 < target < 1:
            raise ValueError(f'target of the amount is {target!r}; allowed: between 0 and 1')
        if not _is_number(start) or not 0 <= start <= 1:
            raise ValueError(f'start of the amount is {start!r}; allowed: from 0 to 1')
        if not _is_number(looks) or not looks > 0:
            raise ValueError(f'looks of the amount is {looks!r}; allowed: above 0')
        self.target = float(target)
        self.looks = float(looks)
        #: The fraction of images to augment, in [0, 1].
        self.fraction = float(start)
        #: Running means of the distillation loss on seen and on unseen images; None at first.
        self.seen: float | None = None
        self.unseen: float | None = None

    @property
    def gap(self) -> float:
        """How far seen images are ahead of unseen ones, at most 1; 0 where nothing is known."""
        if self.seen is None or not self.unseen:
            return 0.0
        return 1 - self.seen / self.unseen

    def update(self, seen: float, unseen: float) -> float:
        """Take a measurement; what is no number is left out.

        Args:
            seen: Mean distillation loss on images that the student trains on.
            unseen: The same on images that it has never trained on.

        Returns:
            The new fraction.
        """
        if not (math.isfinite(seen) and math.isfinite(unseen)):
            return self.fraction
        share = 1 - math.exp(-_CONSTANTS / self.looks)
        self.seen = seen if self.seen is None else self.seen + share * (seen - self.seen)
        self.unseen = (
            unseen if self.unseen is None else self.unseen + share * (unseen - self.unseen)
        )
        push = (self.gap - self.target) / self.target
        step = min(max(push, -1.0), 1.0) / self.looks
        self.fraction = min(max(self.fraction + step, 0.0), 1.0)
        return self.fraction

    def state_dict(self) -> dict[str, Any]:
        """What a resume needs."""
        return {'fraction': self.fraction, 'seen': self.seen, 'unseen': self.unseen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self.fraction = float(state['fraction'])
        self.seen, self.unseen = state['seen'], state['unseen']


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
