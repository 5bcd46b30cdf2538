"""Labels by trust: a label counts as far as the teacher believes it on that very image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .image_losses import unreduced
from .kd import kd_losses
from .labels import fresh


def trusted_losses(
    distiller: Any, inputs: Tensor, data_samples: list
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The student's losses, weighed by the teacher's probability of each label, and those of KD.

    Student and teacher compute their losses without reduction, for each image or pixel; a term of
    the student counts with ``exp(-l)``, where l is the teacher's (first) loss in the same place.
    For a cross entropy that is the teacher's probability of the label.

    Args:
        distiller: Whose losses reduce by a mean.
        inputs: (B, C, H, W) in the student's normalisation.
        data_samples: B data samples with labels.

    Returns:
        What :meth:`BaseDistiller.distilled` does.

    Raises:
        ValueError: A loss of the student has not the shape of the teacher's.
    """
    kd, teacher = distiller.distiller, distiller.teacher
    with kd.student_recorders, unreduced(distiller.student):
        losses = distiller.student(inputs, fresh(data_samples), mode='loss')
    with torch.no_grad(), kd.teacher_recorders, unreduced(teacher.model):
        theirs = teacher.inputs(inputs, distiller.normalization)
        doubt = _first_loss(teacher.losses(theirs, fresh(data_samples)))
    trust = torch.exp(-doubt.float()).clamp(max=1)
    weighed = {
        name: _weigh(name, value, trust) if 'loss' in name else value
        for name, value in losses.items()
    }
    return weighed, kd_losses(kd)


def _first_loss(losses: Mapping[str, Any]) -> Tensor:
    """The loss of the (first) class head."""
    for name, value in losses.items():
        if 'loss' in name and isinstance(value, Tensor) and value.dim():
            return value
    raise ValueError(
        f'label_trust: the teacher reduces its losses {sorted(losses)}; allowed: loss modules with '
        'an attribute reduction, or label_trust=False'
    )


def _weigh(name: str, loss: Any, trust: Tensor) -> Tensor:
    """(B, ...) losses -> 0-dim mean, each weighed."""
    if not isinstance(loss, Tensor) or loss.shape != trust.shape:
        shape = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
        raise ValueError(
            f"label_trust: {name} of the student is {shape}, the teacher's loss "
            f'{tuple(trust.shape)}; allowed: losses of the same places, or label_trust=False'
        )
    return (trust.to(loss.dtype) * loss).mean()
