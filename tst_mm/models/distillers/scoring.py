"""Looking at images with student and teacher, without gradient and without a trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from tst_mm.search import Losses, Objective
from tst_mm.utils import require_mapping
from tst_mm.utils.aliases import current_objective
from tst_mm.utils.components import build_component

from ..modes import frozen
from ..objectives import confidence_in
from ..unchanged import unchanged
from .image_losses import summed
from .labels import fresh


def build_objective(
    config: Mapping[str, Any] | None, augmenter: Mapping[str, Any] | None, distiller: Any
) -> Objective:
    """Build the objective of the search; that of the published form where its policy needs one.

    Args:
        config: What the distiller's config says of it; None for the augmenter's own.
        augmenter: The augmenter's config.
        distiller: With an augmenter and a student.

    Raises:
        KeyError: An unknown type or argument.
        TypeError: What is built is no objective.
    """
    config = {} if config is None else config
    require_mapping('objective', config)
    config = current_objective(config, augmenter or {})
    config = {'type': distiller.augmenter.objective or distiller.default_objective, **config}
    objective = build_component('objective', config)
    if not isinstance(objective, Objective):
        raise TypeError(
            f'objective is a {type(objective).__name__}; allowed: a subclass of '
            'tst_mm.search.Objective'
        )
    objective.prepare(distiller.student)
    return objective


@contextmanager
def looking(distiller: Any) -> Iterator[None]:
    """Student, teacher and connectors as in evaluation; afterwards all is what it was."""
    student, teacher, kd = distiller.student, distiller.teacher.model, distiller.distiller
    with torch.no_grad(), unchanged(student, teacher, kd), frozen(student), frozen(kd):
        yield


def score(distiller: Any, data: Any, draws: int) -> dict[str, Any]:
    """See :meth:`tst_mm.models.BaseDistiller.score`.

    Args:
        distiller: With an augmenter; unwrapped.
        data: A batch of the training loader.
        draws: How often each image is drawn.
    """
    teacher, objective = distiller.teacher, distiller.objective
    with looking(distiller):
        data = distiller.data_preprocessor(data, True)
        distiller.normalization.check_once(data['inputs'])
        inputs = data['inputs'].repeat(draws, 1, 1, 1)
        samples = list(data['data_samples']) * draws
        images, draw = distiller.augmenter(inputs, distiller.valid_sizes(inputs, samples))
        samples = distiller.move_labels(samples, draw)
        student_confidence = confidence_in(distiller, distiller.student)
        student = distiller.image_losses(
            lambda images, samples: distiller.student(images, fresh(samples), mode='loss'),
            images,
            samples,
            distiller.student,
            student_confidence,
        )
        distillation: dict[str, Tensor] = {}
        if objective.needs_distillation:
            distillation = distiller.image_losses(
                lambda images, samples: distiller.distilled(images, samples)[1],
                images,
                samples,
                distiller.distiller,
            )
        images = teacher.inputs(images, distiller.normalization)
        teacher_confidence = confidence_in(distiller, teacher.model)
        of_teacher = distiller.image_losses(
            lambda images, samples: teacher.losses(images, fresh(samples)),
            images,
            samples,
            teacher.model,
            teacher_confidence,
        )
        losses = Losses(of_teacher, student, distillation, distiller.loss_scales())
        judged = objective.judge(losses)
    confidences = {}
    if student_confidence is not None and teacher_confidence is not None:
        confidences['teacher_confidence'] = teacher_confidence.value.to(judged.objective)
        confidences['student_confidence'] = student_confidence.value.to(judged.objective)
    return {
        'objective': judged.objective,
        'loss_teacher': judged.teacher,
        'loss_student': judged.student,
        **confidences,
        'terms': student,
        'draw': draw,
    }


def imitation_loss(distiller: Any, data: Any) -> Tensor:
    """See :meth:`tst_mm.models.BaseDistiller.imitation_loss`.

    Args:
        distiller: Unwrapped.
        data: A batch of the training loader.
    """
    with looking(distiller):
        data = distiller.data_preprocessor(data, True)
        losses = distiller.distilled(data['inputs'], data['data_samples'])[1]
        return torch.stack(list(summed(losses).values())).sum()
