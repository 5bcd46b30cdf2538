"""What the augmenter minimises: samples the teacher is good at and the student is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from tst_mm.registry import MODELS
from tst_mm.utils import closest

from .flip import find_losses, flipped


@MODELS.register_module()
class TeachingObjective:
    """``teacher_weight * loss(teacher) + student_weight * weakness(student)`` on x'.

    Both losses are the networks' own, with their own targets and averaging.

    Args:
        form: ``'flipped'`` (default): the student's weakness is its flipped loss, for
            classification ``-log(1 - p_s + 1e-8)``, bounded below by 0. ``'difference'``: minus
            the student's loss, as the paper's words, never below ``-cap``.
        teacher_weight: alpha, not negative. Defaults to 1.
        student_weight: beta, not negative. Defaults to 1.
        cap: Largest student loss that is still rewarded by ``'difference'``. Defaults to 10.

    Raises:
        ValueError: A value outside what is allowed.
    """

    def __init__(
        self,
        form: str = 'flipped',
        teacher_weight: float = 1.0,
        student_weight: float = 1.0,
        cap: float = 10.0,
    ) -> None:
        if form not in ('flipped', 'difference'):
            raise ValueError(f'form is {form!r}; {closest(form, ("flipped", "difference"))}')
        weights = {
            'teacher_weight': teacher_weight,
            'student_weight': student_weight,
            'cap': cap,
        }
        for key, value in weights.items():
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 <= value < math.inf:
                raise ValueError(f'{key} is {value!r}; allowed: 0 or more')
        self.form = form
        self.teacher_weight = teacher_weight
        self.student_weight = student_weight
        self.cap = cap
        self._losses: list[nn.Module] = []

    def prepare(self, student: nn.Module) -> None:
        """Find the student's losses.

        Raises:
            TypeError: A loss has no flipped form.
        """
        if self.form == 'flipped':
            self._losses = list(find_losses('student', student).values())

    def weakness(self, student_loss: Callable[[], Tensor]) -> Tensor:
        """Small where the student fails; 0-dim.

        Args:
            student_loss: Computes the student's total loss on x' when called.
        """
        if self.form == 'difference':
            return -student_loss().clamp(max=self.cap)
        with flipped(self._losses):
            return student_loss()

    def __repr__(self) -> str:
        return f'{type(self).__name__}({_public(self)})'


def _public(instance: Any) -> str:
    items = {k: v for k, v in vars(instance).items() if not k.startswith('_')}
    return ', '.join(f'{key}={value!r}' for key, value in items.items())
