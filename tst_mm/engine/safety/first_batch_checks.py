"""What a run checks of itself on its first batch; each check raises, or tells what it has seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.augment.operators import GeometricOperator
from tst_mm.models.distillers.labels import fresh

from .chance import class_logits, judge
from .first_batch import FirstBatch
from .model_state import changed, random_states, state_of
from .moved_labels import large_shift, places, stays

#: Distillation losses below this are zero, but for rounding.
_ZERO = 1e-12


def check_range(look: FirstBatch) -> str:
    """Images have the range that the student's preprocessor implies.

    Raises:
        ValueError: They have not.
    """
    model = look.model
    own, teacher = model.normalization, model.teacher.normalization
    if model.augmenter is None and own.identity and teacher.same_as(own):
        return 'range: pipeline and preprocessor leave it open'
    low, high = own.check(look.inputs)
    return f'range: images have grey levels from {round(low)} to {round(high)}'


def check_labels(look: FirstBatch) -> str:
    """Every label that has places follows a large shift of its image.

    Raises:
        ValueError: A label stays; it is named.
    """
    model = look.model
    moves = model.augmenter is not None and model.augmenter.labels_follow
    if not moves or not any(isinstance(op, GeometricOperator) for op in model.augmenter.operators):
        return 'labels: images do not move'
    sizes = [(int(h), int(w)) for h, w in model.valid_sizes(look.inputs, look.samples)]
    draw = large_shift(model.augmenter, sizes).to(look.inputs.device)
    before = [places(sample) for sample in look.samples]
    after = [places(sample) for sample in model.move_labels(fresh(look.samples), draw)]
    for old, new, size in zip(before, after, sizes, strict=True):
        for name, value in old.items():
            if name in new and stays(value, new[name], size):
                raise ValueError(
                    f'{name} {tuple(value.shape)} stays where it is when the image moves, so that '
                    f'the student would learn from labels of other places; allowed: a task whose '
                    f'move_labels moves it ({type(model).__name__} does not), or a pipeline that '
                    'leaves it out'
                )
    names = sorted({name for old in before for name in old})
    return f'labels: {", ".join(names)} moved' if names else 'labels: none has places'


def check_distillation(look: FirstBatch) -> str:
    """Every distillation loss is a number above zero whose gradient reaches the student.

    Raises:
        ValueError: One is not; it is named.
    """
    faults = _distillation_faults(look)
    if faults:
        # A student that begins as its teacher has no loss either: not so a little later.
        look.move_weights()
        faults = [fault for fault in _distillation_faults(look) if fault in faults]
    if faults:
        raise ValueError(
            f'{"; ".join(faults)}: nothing would be distilled by it; allowed: another plan '
            '(plan=dict(activation=...), plan=dict(features=True)), or another distill_losses '
            'entry in "distiller"'
        )
    values = ', '.join(f'{name} {_total(value):.3g}' for name, value in look.losses[1].items())
    return f'distillation: {values}'


def check_losses(look: FirstBatch) -> str:
    """Every entry that could be learnt from is summed, or the log says that it is not."""
    for name, value in {**look.losses[0], **look.losses[1]}.items():
        parts = [value] if isinstance(value, Tensor) else value
        learnt = any(isinstance(part, Tensor) and part.requires_grad for part in parts or [])
        if 'loss' not in name and learnt:
            look.warnings.append(
                f'losses: {name} = {_total(value):.3g} of the student has a gradient, but MMEngine '
                f'sums only what has "loss" in its name: it is not learnt from. Call it '
                f'{f"loss_{name}"!r} in the head, or detach it'
            )
    return 'losses: ' + ', '.join(name for name in look.losses[0] if 'loss' in name)


@torch.no_grad()
def check_teacher(look: FirstBatch) -> str:
    """The teacher is better than chance on the batch, where that can be told.

    Raises:
        ValueError: It is not.
    """
    model, teacher = look.model, look.model.teacher
    if not teacher.trained:
        return 'teacher: has random weights, as "checkpoint" says'
    if hasattr(teacher.model, 'bbox_head') or hasattr(teacher.model, 'rpn_head'):
        return 'teacher: of a detector one batch does not tell; TeacherCheckHook does'
    try:
        with look.precision():
            images = teacher.inputs(look.inputs, model.normalization)
            found = class_logits(teacher.model, images, fresh(look.samples))
    except Exception as error:  # whatever a model asks of its images to predict
        found = f'{type(error).__name__}: {error}'
    if isinstance(found, str):
        return f'teacher: cannot be told ({found}); TeacherCheckHook does'
    verdict, words = judge(*found)
    if verdict == 'not better':
        raise ValueError(
            f'the teacher is not better than chance: {words}; allowed: a checkpoint of a finished '
            'training, of these classes in this order, with the preprocessing that it was trained '
            "with; 'random' as checkpoint is for tests"
        )
    if verdict == 'too few':
        look.warnings.append(f'teacher: the batch is too small to tell it from chance: {words}')
    return f'teacher: {words}'


def check_stage(look: FirstBatch) -> str:
    """Scoring images for a search leaves everything as it was, bit for bit.

    Raises:
        ValueError: Something has changed; it is named.
    """
    model = look.model
    if model.augmenter is None or not any(hasattr(hook, 'search') for hook in look.runner.hooks):
        return 'stage: there is no search'

    def state() -> dict[str, Any]:
        return state_of(
            student=model.student,
            teacher=model.teacher.model,
            distiller=model.distiller,
            policy=model.augmenter.policy,
            optimizer=look.runner.optim_wrapper.state_dict(),
            generators=random_states(),
        )

    data = look.few()
    before = state()
    with look.precision():
        model.score(data)
    names = changed(before, state())
    if names:
        more = f' and {len(names) - 3} more' if len(names) > 3 else ''
        raise ValueError(
            f'a search stage changes {", ".join(names[:3])}{more}, so that the run would depend on '
            'when stages are; allowed: state in buffers and attributes of modules, which is put '
            'back, and no state that a forward pass writes elsewhere'
        )
    return f'stage: {len(before)} values of student, teacher and optimiser unchanged'


#: The checks by name, in their order; last those that hold the graph of a training step.
CHECKS: dict[str, Callable[[FirstBatch], str]] = {
    'range': check_range,
    'labels': check_labels,
    'teacher': check_teacher,
    'stage': check_stage,
    'distillation': check_distillation,
    'losses': check_losses,
}


def _distillation_faults(look: FirstBatch) -> list[str]:
    faults = []
    for name, value in look.losses[1].items():
        total = _total(value)
        if not math.isfinite(total):
            faults.append(f'{name} is {total}')
        elif not total > _ZERO:
            faults.append(f'{name} is {0 if abs(total) <= _ZERO else total:.3g}, not above 0')
        elif not _reaches(_summed(value), look.model):
            faults.append(f'{name} has no gradient into the weights of the student')
    return faults


def _reaches(loss: Tensor, model: Any) -> bool:
    """Whether a loss has a gradient into the student; no gradient is left behind."""
    if not loss.requires_grad:
        return False
    weights: list[nn.Parameter] = list(model.parameters())
    kept = [weight.grad for weight in weights]
    try:
        for weight in weights:
            weight.grad = None
        # Not autograd.grad, which refuses checkpointed blocks.
        loss.backward(retain_graph=True)
        found = [w.grad for w in model.student.parameters() if w.grad is not None]
        return any(bool(gradient.any()) for gradient in found)
    finally:
        for weight, gradient in zip(weights, kept, strict=True):
            weight.grad = gradient


def _summed(value: Any) -> Tensor:
    parts = [value] if isinstance(value, Tensor) else list(value)
    return torch.stack([part.float().mean() for part in parts]).sum()


def _total(value: Any) -> float:
    return float(_summed(value).detach())
