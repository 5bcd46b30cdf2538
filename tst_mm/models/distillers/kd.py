"""The distillation losses, as MMRazor's ``ConfigurableDistiller`` describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from tst_mm.compat import load_mmrazor
from tst_mm.registry import MODELS
from tst_mm.utils import closest


def build_kd(config: Mapping[str, Any], student: nn.Module, teacher: nn.Module) -> nn.Module:
    """Build a ``ConfigurableDistiller`` and let it record student and teacher.

    Args:
        config: Its arguments: recorders, connectors, ``distill_losses``,
            ``loss_forward_mappings``.
        student: Model of the student recorders.
        teacher: Model of the teacher recorders.

    Raises:
        KeyError: A recorder's source is not in its model.
    """
    load_mmrazor()
    config = {'type': 'ConfigurableDistiller', **config, '_scope_': 'mmrazor'}
    for key, model in (('student_recorders', student), ('teacher_recorders', teacher)):
        _check_sources(key, config.get(key) or {}, model)
    kd = MODELS.build(config)
    kd.prepare_from_student(student)
    kd.prepare_from_teacher(teacher)
    return kd


def kd_losses(kd: nn.Module) -> dict[str, Any]:
    """The distillation losses of what was recorded, which is then let go (it holds graphs)."""
    losses = kd.compute_distill_losses()
    for manager in (kd.student_recorders, kd.teacher_recorders):
        for recorder in manager.recorders.values():
            recorder.reset_data_buffer()
    return losses


def compare(
    what: str, student_source: str, teacher_source: str, loss: Mapping[str, Any]
) -> dict[str, Any]:
    """Configuration that compares one module's output in student and teacher.

    Args:
        what: Name of the recorder; the loss is called ``loss_<what>``.
        student_source: Dotted name of the student's module.
        teacher_source: Dotted name of the teacher's module.
        loss: Loss with arguments ``preds_S`` and ``preds_T``.
    """
    return {
        'student_recorders': {what: {'type': 'ModuleOutputs', 'source': student_source}},
        'teacher_recorders': {what: {'type': 'ModuleOutputs', 'source': teacher_source}},
        'distill_losses': {f'loss_{what}': dict(loss)},
        'loss_forward_mappings': {
            f'loss_{what}': {
                'preds_S': {'recorder': what, 'from_student': True},
                'preds_T': {'recorder': what, 'from_student': False},
            }
        },
    }


def _check_sources(key: str, recorders: Mapping[str, Any], model: nn.Module) -> None:
    """Module recorders must name modules; MMRazor's own error does not say what there is."""
    modules = dict(model.named_modules())
    for name, recorder in recorders.items():
        if not str(recorder.get('type', '')).startswith('Module'):
            continue
        if recorder.get('source') not in modules:
            parent = str(recorder.get('source', '')).rpartition('.')[0]
            near = [m for m in modules if m.startswith(parent) and m != parent][:12]
            raise KeyError(
                f'{key}.{name} records {recorder.get("source")!r}, which is not in the model; '
                f'{closest(recorder.get("source", ""), near or list(modules)[:12])}'
            )
