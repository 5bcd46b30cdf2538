"""How many of the student's images are augmented: as many as its generalisation calls for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: The number of time constants of the running means in which the fraction can go from 0 to 1.
_CONSTANTS = 4


class AdaptiveAmount:
    """A controller of the fraction of augmented images.

    A student that has memorised its images imitates the teacher better on them than on images that
    it has never trained on: ``gap = 1 - D_seen / D_unseen`` of the running means of its
    distillation loss. The fraction rises while the gap is above a target and falls while it is
    below, as adaptive discriminator augmentation does for a discriminator (StyleGAN2-ADA), between
    0 and 1. Far from the target it moves at full speed, near it in proportion.

    Args:
        target: The gap that the controller holds, in (0, 1).
        start: The fraction of augmented images at the start, in [0, 1].
        looks: The number of measurements in which the fraction can go all the way from 0 to 1,
            positive.

    Raises:
        ValueError: A value is outside of its range.
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
        """Take a measurement into account; one that is not finite is left out.

        Args:
            seen: The mean distillation loss on images that the student trains on.
            unseen: The mean distillation loss on images that the student has never trained on.

        Returns:
            The new fraction of augmented images, in [0, 1].
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
        """The state that a resumed run continues from."""
        return {'fraction': self.fraction, 'seen': self.seen, 'unseen': self.unseen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self.fraction = float(state['fraction'])
        self.seen, self.unseen = state['seen'], state['unseen']


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
