"""One step of the published search: the objective's gradient moves rates and magnitudes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.models.distillers.labels import fresh
from tst_mm.models.modes import frozen
from tst_mm.models.objectives import Confidence, confidence_in
from tst_mm.models.ranks import mean_over_ranks
from tst_mm.models.unchanged import unchanged


def gradient_step(
    distiller: Any, objective: Any, data: Any, optim_wrapper: Any
) -> dict[str, Tensor]:
    """Do one step of the augmenter stage; student and teacher are left exactly as they are.

    The graphs of student and teacher are freed one after the other: both losses are taken back
    to the augmented image, and their sum from there through the augmenter.

    Args:
        distiller: The distiller, unwrapped, which has a :class:`tst_mm.paper.PaperAugmenter`.
        objective: The objective that is minimised, as :class:`tst_mm.paper.FlippedObjective`.
        data: A batch of the training loader.
        optim_wrapper: The wrapper of an optimiser over the policy's parameters, as MMEngine has
            it.

    Returns:
        0-dim tensors without gradient: ``loss``, ``loss_teacher``, ``loss_student`` (the student's
        weakness), ``teacher_confidence`` and ``student_confidence`` on the augmented images. They
        are over the batches of all ranks, and the same on each.
    """
    with unchanged(distiller.student, distiller.teacher.model):
        return _step(distiller, objective, data, optim_wrapper)


def _step(distiller: Any, objective: Any, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
    student, teacher, augmenter = distiller.student, distiller.teacher, distiller.augmenter
    with optim_wrapper.optim_context(distiller):
        data = distiller.data_preprocessor(data, True)
        inputs, data_samples = data['inputs'], data['data_samples']
        sizes = distiller.valid_sizes(inputs, data_samples)
        images, draw = augmenter(inputs, sizes, relaxed=True)
        distiller.draw = draw.detach()
        data_samples = distiller.move_labels(data_samples, distiller.draw)
        leaf = images.detach().requires_grad_()
    with frozen(student):
        with (
            optim_wrapper.optim_context(distiller),
            _confidence(distiller, student) as student_confidence,
        ):
            weakness = objective.flipped_weakness(
                lambda: distiller.parse_losses(student(leaf, fresh(data_samples), mode='loss'))[0]
            )
        # Still frozen: blocks with with_cp=True are computed once more in the backward pass.
        optim_wrapper.backward(objective.student_weight * weakness)
    with optim_wrapper.optim_context(distiller):
        teacher_inputs = teacher.inputs(leaf, augmenter.normalization)
        with _confidence(distiller, teacher.model) as teacher_confidence:
            losses = teacher.losses(teacher_inputs, fresh(data_samples))
            strength = distiller.parse_losses(losses)[0]
    optim_wrapper.backward(objective.teacher_weight * strength)
    images.backward(leaf.grad)
    parameters = list(augmenter.policy.parameters())
    # A parameter without a gradient had no part in this draw, but it may have on another rank.
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    values = [
        strength.detach(),
        weakness.detach(),
        teacher_confidence.sums,
        student_confidence.sums,
    ]
    *gradients, strength, weakness, of_teacher, of_student = mean_over_ranks([*gradients, *values])
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optim_wrapper.step()
    optim_wrapper.zero_grad()
    return {
        'loss': objective.teacher_weight * strength + objective.student_weight * weakness,
        'loss_teacher': strength,
        'loss_student': weakness,
        'teacher_confidence': Confidence.mean(of_teacher),
        'student_confidence': Confidence.mean(of_student),
    }


def _confidence(distiller: Any, model: nn.Module) -> Confidence:
    """Watch the class loss of a model; without a plain one the confidence stays 0."""
    return confidence_in(distiller, model) or Confidence(nn.Identity(), 0)
