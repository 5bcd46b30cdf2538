"""What makes an image worth teaching: J, from the losses of teacher and student on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.registry import MODELS

#: The smallest argument of the logarithm in the weakness, which keeps it finite at a loss of 0.
_FLOOR = 1e-6
#: The weight of a new batch in the running means of the student's losses.
_SHARE = 0.1


@dataclass(frozen=True)
class Losses:
    """What teacher and student make of the same images.

    All tensors are without gradient. They hold one value for each image, (n,), or are 0-dim where
    a model gives its losses for a batch as a whole.

    Attributes:
        teacher (dict[str, Tensor]): The teacher's ordinary losses by name.
        student (dict[str, Tensor]): The student's ordinary losses by name.
        distillation (dict[str, Tensor]): The distillation losses by name.
        scales (dict[str, float]): What losses of the student by name amount to where the label has
            probability 1 / e, as far as that is known: the weight of a cross entropy. Defaults to
            nothing.
    """

    teacher: Mapping[str, Tensor]
    student: Mapping[str, Tensor]
    distillation: Mapping[str, Tensor]
    scales: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Judgement:
    """The value of images for teaching; small is good.

    Attributes:
        objective (Tensor): The objective J, (n,) or 0-dim; small where an image is worth teaching.
        teacher (Tensor): The teacher's part, which is its total loss; small where the teacher is
            right.
        student (Tensor): The student's part, which is its weakness; small where the student fails.
    """

    objective: Tensor
    teacher: Tensor
    student: Tensor


class Objective:
    """Base of the objectives, and what they share: weights, and scales of the student's losses.

    An objective of one's own defines :meth:`weakness` and registers itself::

        @MODELS.register_module()
        class Margin(Objective):
            def weakness(self, losses):
                return -sum(losses.student.values())

    Args:
        teacher_weight: The weight of the teacher's loss, at least 0. Defaults to 1.
        student_weight: The weight of the student's weakness, at least 0. Defaults to 1.

    Raises:
        ValueError: A weight is negative or no number.
    """

    #: Whether :class:`Losses` must hold the distillation losses.
    needs_distillation = False

    def __init__(self, teacher_weight: float = 1.0, student_weight: float = 1.0) -> None:
        for key, value in (('teacher_weight', teacher_weight), ('student_weight', student_weight)):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 <= value < math.inf:
                raise ValueError(f'{key} is {value!r}; allowed: 0 or more')
        self.teacher_weight = teacher_weight
        self.student_weight = student_weight
        #: The running mean of each of the student's losses, from the first update on.
        self.scales: dict[str, Tensor] = {}
        #: What stands in for them until then.
        self._guesses: dict[str, Tensor] = {}

    def prepare(self, student: nn.Module) -> None:
        """Look at the student once, when it is built. By default nothing is done."""

    def weakness(self, losses: Losses) -> Tensor:
        """How well the student already does on the images; falls as it gets worse.

        Args:
            losses: The losses of teacher and student on the images.

        Returns:
            The weakness, (n,) for each image, or 0-dim for the batch.
        """
        raise NotImplementedError(f'{type(self).__name__} must define weakness')

    def judge(self, losses: Losses) -> Judgement:
        """Judge images by the losses of teacher and student on them."""
        teacher = total(losses.teacher)
        student = self.weakness(losses)
        objective = self.teacher_weight * teacher + self.student_weight * student
        return Judgement(objective, teacher, student)

    def update(self, student: Mapping[str, Tensor]) -> None:
        """Take the losses of the student on a batch, where finite, into their running means.

        Args:
            student: The losses by name, (n,) or 0-dim each.
        """
        for name, values in student.items():
            mean = finite_mean(values).double()
            before = self.scales.get(name, torch.ones_like(mean)).to(mean)
            after = torch.lerp(before, mean, _SHARE) if name in self.scales else mean
            self.scales[name] = torch.where(mean.isfinite(), after, before)

    def scale_of(self, name: str, values: Tensor) -> Tensor:
        """The scale of a loss, 0-dim.

        Before the first update it is the power of ten nearest to the first values that are asked
        for. That one stays, so that values of two calls can be compared.

        Args:
            name: The name of the loss.
            values: The loss, (n,) or 0-dim.
        """
        if name in self.scales:
            return self.scales[name]
        if name not in self._guesses:
            self._guesses[name] = _magnitude(values)
        return self._guesses[name]

    def state_dict(self) -> dict[str, Any]:
        """The state that a resumed run continues from."""
        return {name: scale.cpu() for name, scale in self.scales.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Continue from :meth:`state_dict`."""
        self.scales = {str(name): torch.as_tensor(scale) for name, scale in state.items()}

    def __repr__(self) -> str:
        weights = f'teacher_weight={self.teacher_weight}, student_weight={self.student_weight}'
        return f'{type(self).__name__}({weights})'


@MODELS.register_module()
class ConfidenceObjective(Objective):
    """The student is less sure of an image's labels than the teacher: the default of dense tasks.

    ``J = student_weight * exp(-loss(student) / s) - teacher_weight * exp(-loss(teacher) / s)`` of
    the total losses, where s is the running mean of the student's. For a cross entropy at scale 1
    that is the student's probability of the label less the teacher's. Both parts lie between 0 and
    1, so that no single image decides, and an image that both fail at is worth less than one that
    only the student fails at. On detectors and segmentors, whose losses are means over many places
    and alike for teacher and student, it keeps a signal where a sum of the teacher's loss and the
    student's weakness cancels (``benchmarks/signal.py``).

    Args:
        teacher_weight: The weight of the teacher's loss, at least 0. Defaults to 1.
        student_weight: The weight of the student's weakness, at least 0. Defaults to 1.
    """

    #: Name of the scale of the total loss.
    _TOTAL = 'total'

    def judge(self, losses: Losses) -> Judgement:
        """See the base class."""
        judged = super().judge(losses)
        scale = self._scale(total(losses.student)).to(judged.teacher)
        sure = torch.exp(-judged.teacher / scale)
        objective = self.student_weight * judged.student - self.teacher_weight * sure
        return Judgement(objective, judged.teacher, judged.student)

    def weakness(self, losses: Losses) -> Tensor:
        """See the base class; how sure the student is, from 0 to 1."""
        loss = total(losses.student)
        return torch.exp(-loss / self._scale(loss).to(loss))

    def update(self, student: Mapping[str, Tensor]) -> None:
        """See the base class; the scale is that of the total."""
        super().update({self._TOTAL: total(student)})

    def _scale(self, loss: Tensor) -> Tensor:
        # Before the first update the next power of ten, beside which the loss is small.
        return self.scale_of(self._TOTAL, 10**0.5 * loss).clamp(min=_FLOOR)


@MODELS.register_module()
class TeachingObjective(Objective):
    """The teacher is good at an image and the student is not (paper, section 3).

    ``J = teacher_weight * loss(teacher) + student_weight * sum of phi(loss(student))``, with
    :func:`bounded_weakness` of each named loss at its own scale. For a cross entropy ``l = -log p``
    that is 1, which makes it the paper's ``-log(1 - p)`` and ``exp(-J)`` the probability that the
    teacher is right where the student is wrong. Other losses have their running means, so that a
    total of 0.1 and one of 30 are treated alike. It takes no gradient, so no loss needs a flipped
    form (the reference flips each kind of loss by hand).

    Args:
        teacher_weight: The weight of the teacher's loss, at least 0. Defaults to 1.
        student_weight: The weight of the student's weakness, at least 0. Defaults to 1.
    """

    def weakness(self, losses: Losses) -> Tensor:
        """The sum of bounded losses; running means are a loss's power of ten before the first."""
        return total(
            {
                name: bounded_weakness(
                    values, losses.scales.get(name) or self.scale_of(name, values)
                )
                for name, values in losses.student.items()
            }
        )


@MODELS.register_module()
class DisagreementObjective(Objective):
    """What the student has still to learn from the teacher, as long as the teacher is right.

    ``J = teacher_weight * loss(teacher) - student_weight * distillation loss``.

    Args:
        teacher_weight: The weight of the teacher's loss, at least 0. Defaults to 1.
        student_weight: The weight of the student's weakness, at least 0. Defaults to 1.
    """

    needs_distillation = True

    def weakness(self, losses: Losses) -> Tensor:
        """Minus the total distillation loss."""
        return -total(losses.distillation)


def bounded_weakness(loss: Tensor, scale: Tensor | float = 1.0) -> Tensor:
    """Compute ``phi(l) = -s log(1 - exp(-l / s))``, which falls as the loss rises, but not below 0.

    Args:
        loss: The losses, of any shape, at least 0; values below 0 count as 0.
        scale: The scale s at which a loss begins to count as large, positive. Defaults to 1.

    Returns:
        The weakness, in the same shape. It is ``s log 2`` where the loss is ``s log 2``, and
        finite at a loss of 0.
    """
    # A number stays one: a tensor of it would wait for its copy to the device.
    scale = scale.to(loss).clamp(min=_FLOOR) if isinstance(scale, Tensor) else max(scale, _FLOOR)
    return -scale * torch.log((-torch.expm1(-loss.clamp(min=0) / scale)).clamp(min=_FLOOR))


def _magnitude(values: Tensor) -> Tensor:
    """The power of ten nearest to the mean of the values that are numbers, 0-dim; 1 without any."""
    mean = finite_mean(values).clamp(min=_FLOOR)
    return torch.pow(10.0, mean.log10().round()).nan_to_num(1.0)


def total(losses: Mapping[str, Tensor]) -> Tensor:
    """Add up losses that are given by name, (n,) or 0-dim.

    Raises:
        ValueError: There are no losses.
    """
    if not losses:
        raise ValueError('a model returned no loss; allowed: losses with "loss" in their names')
    return torch.stack(list(losses.values())).sum(0)


def finite_mean(values: Tensor) -> Tensor:
    """The mean of those values that are numbers, 0-dim and at least float32; NaN if none is."""
    values = values.detach().to(torch.promote_types(values.dtype, torch.float32))
    return torch.where(values.isfinite(), values, torch.nan).nanmean()
