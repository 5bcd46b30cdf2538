"""What the augmenter minimises: samples the teacher is good at and the student is not."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from tst_mm.registry import MODELS
from tst_mm.search import ConfidenceObjective, Losses
from tst_mm.search.objective import total
from tst_mm.utils import closest
from tst_mm.utils.presets import with_preset

from .flip import check_losses, find_losses, flipped
from .gradient_step import gradient_step
from .reference_flips import ELEMENT_MEANS, NEGATED_BOXES

#: The arguments of :class:`FlippedObjective` by preset.
PRESETS: dict[str, dict[str, Any]] = {
    'recommended': {'form': 'flipped', 'boxes': 'bounded', 'averaging': 'own'},
    'paper': {'form': 'flipped', 'boxes': 'negated', 'averaging': 'elements'},
}
_CHOICES = {
    'form': ('flipped', 'difference'),
    'boxes': ('bounded', 'negated'),
    'averaging': ('own', 'elements'),
}


@MODELS.register_module()
class FlippedObjective(ConfidenceObjective):
    """The objective of the paper, ``teacher_weight * loss(teacher) + student_weight * weakness``.

    It is computed on augmented images. Each loss is the one that the network is trained with, with
    its targets and its averaging.

    Args:
        form: The form of the student's weakness. ``'flipped'`` (default): its flipped loss, for
            classification ``-log(1 - p_s + 1e-8)``, bounded below by 0. ``'difference'``: minus
            the student's loss, as the paper's words say, never below ``-cap``.
        teacher_weight: The weight alpha of the teacher's loss, not negative. Defaults to 1.
        student_weight: The weight beta of the student's weakness, not negative. Defaults to 1.
        cap: The largest student loss that ``'difference'`` still rewards. Defaults to 10.
        boxes: What box losses become in the flipped form: ``'bounded'`` (default), see
            :mod:`tst_mm.paper.flip`, or ``'negated'`` (the reference), which is unbounded below.
        averaging: What the flipped form averages over: ``'own'`` (default) is that of the loss;
            ``'elements'`` (the reference) takes focal losses over all anchors and classes, and
            softmax losses of maps over classes too. No effect on classification.
        preset: The defaults of ``form``, ``boxes`` and ``averaging``, of which one that is given
            wins: ``'recommended'`` (default) or ``'paper'``.

    Raises:
        ValueError: A value is outside what is allowed.
    """

    def __init__(
        self,
        form: str | None = None,
        teacher_weight: float = 1.0,
        student_weight: float = 1.0,
        cap: float = 10.0,
        boxes: str | None = None,
        averaging: str | None = None,
        preset: str = 'recommended',
    ) -> None:
        given = {'form': form, 'boxes': boxes, 'averaging': averaging}
        chosen = with_preset('FlippedObjective', PRESETS, preset, given)
        for key, allowed in _CHOICES.items():
            if chosen[key] not in allowed:
                raise ValueError(f'{key} is {chosen[key]!r}; {closest(chosen[key], allowed)}')
        super().__init__(teacher_weight, student_weight)
        number = isinstance(cap, (int, float)) and not isinstance(cap, bool)
        if not number or not 0 <= cap < math.inf:
            raise ValueError(f'cap is {cap!r}; allowed: 0 or more')
        self.form: str = chosen['form']
        self.cap = cap
        self.boxes: str = chosen['boxes']
        self.averaging: str = chosen['averaging']
        self._losses: list[nn.Module] = []
        self._told = False

    def prepare(self, student: nn.Module) -> None:
        """Find the student's losses.

        Raises:
            TypeError: A loss has no flipped form.
        """
        if self.form == 'flipped':
            self._losses = list(find_losses('student', student).values())

    def check(self, student: nn.Module) -> None:
        """Refuse a student of which not every loss would be flipped; for the search by gradient.

        Raises:
            TypeError: There is a loss that is known by its place only.
        """
        if self.form == 'flipped':
            check_losses('student', student)

    def weakness(self, losses: Losses) -> Tensor:
        """The weakness by the losses; in the form ``'difference'`` minus the loss, uncapped."""
        if self.form == 'difference':
            return -total(losses.student)
        return super().weakness(losses)

    def flipped_weakness(self, student_loss: Callable[[], Tensor]) -> Tensor:
        """Compute the weakness, 0-dim, which is small where the student fails.

        Args:
            student_loss: A function that computes the student's total loss on the augmented
                images.
        """
        if self.form == 'difference':
            loss = student_loss()
            if not self._told and bool(loss > self.cap):
                self._told = True
                print_log(
                    f'the loss of the student, {float(loss.detach()):.3g}, is above the cap of '
                    f"{self.cap:g}, where it does not move the policy; give form='difference' a "
                    'larger cap, if most losses are as large',
                    'current',
                    logging.WARNING,
                )
            return -loss.clamp(max=self.cap)
        instead = {
            **(NEGATED_BOXES if self.boxes == 'negated' else {}),
            **(ELEMENT_MEANS if self.averaging == 'elements' else {}),
        }
        with flipped(self._losses, instead):
            return student_loss()

    def step(self, distiller: Any, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """Do one step of the augmenter stage; see :mod:`tst_mm.paper.gradient_step`."""
        return gradient_step(distiller, self, data, optim_wrapper)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({_public(self)})'


def _public(instance: Any) -> str:
    items = {k: v for k, v in vars(instance).items() if not k.startswith('_') and k != 'scales'}
    return ', '.join(f'{key}={value!r}' for key, value in items.items())
