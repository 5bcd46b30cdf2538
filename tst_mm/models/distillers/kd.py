"""The distillation losses, as MMRazor's ``ConfigurableDistiller`` describes them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import torch
from torch import nn

from tst_mm.compat import load_mmrazor
from tst_mm.registry import MODELS
from tst_mm.utils import closest, reject_unknown_keys, require_mapping

#: Arguments that have an effect; MMRazor's deliveries have none, as the teacher sees the student's
#: own batch.
_KEYS = (
    'student_recorders',
    'teacher_recorders',
    'connectors',
    'distill_losses',
    'loss_forward_mappings',
    'init_cfg',
    'type',
    '_scope_',
)


def build_kd(config: Mapping[str, Any], student: nn.Module, teacher: nn.Module) -> nn.Module:
    """Build a ``ConfigurableDistiller`` and let it record student and teacher.

    Args:
        config: Its arguments: recorders, connectors, ``distill_losses``,
            ``loss_forward_mappings``.
        student: Model of the student recorders.
        teacher: Model of the teacher recorders.

    Raises:
        KeyError: Unknown key, or a recorder's source that is not in its model.
        TypeError: An entry is no dictionary.
        ValueError: What else MMRazor refuses.
    """
    load_mmrazor()
    require_mapping('distiller', config)
    for key in _KEYS[:5]:
        if config.get(key) is not None:
            require_mapping(f'distiller.{key}', config[key])
    config = {'type': 'ConfigurableDistiller', **config, '_scope_': 'mmrazor'}
    if config['type'] in ('ConfigurableDistiller', 'mmrazor.ConfigurableDistiller'):
        reject_unknown_keys('distiller', config, _KEYS)
    for key, model in (('student_recorders', student), ('teacher_recorders', teacher)):
        _check_sources(key, config.get(key) or {}, model)
    for name in config.get('distill_losses') or {}:
        if 'loss' not in name:
            raise KeyError(
                f'distiller.distill_losses has {name!r}, which MMEngine would not add to the '
                f'total; allowed: names with "loss" in them, such as {f"loss_{name}"!r}'
            )
    try:
        kd = MODELS.build(config)
        kd.prepare_from_student(student)
        kd.prepare_from_teacher(teacher)
    except Exception as error:  # MMRazor asserts, and reaches into what is not there
        reason = ' '.join(str(error.args[0] if error.args else error).split())
        raise ValueError(f'distiller: {type(error).__name__}: {reason}') from error
    return kd


def sources(config: Mapping[str, Any], key: str = 'teacher_recorders') -> list[str]:
    """Dotted names of the modules that ``config[key]`` records."""
    return [str(recorder.get('source', '')) for recorder in (config.get(key) or {}).values()]


@torch.compiler.disable
def kd_losses(kd: nn.Module) -> dict[str, Any]:
    """The distillation losses of what was recorded, which is then let go (it holds graphs)."""
    losses = kd.compute_distill_losses()
    for manager in (kd.student_recorders, kd.teacher_recorders):
        for recorder in manager.recorders.values():
            recorder.reset_data_buffer()
    return losses


def compare(
    what: str,
    student_source: str,
    teacher_source: str,
    loss: Mapping[str, Any],
    *,
    recorder: str | None = None,
    data_idx: int | tuple[int | None, int | None] | None = None,
    connector: Mapping[str, Any] | None = None,
    keys: tuple[str, str] = ('preds_S', 'preds_T'),
) -> dict[str, Any]:
    """Configuration that compares one module's output in student and teacher.

    Args:
        what: Name of the comparison; the loss is called ``loss_<what>``.
        student_source: Dotted name of the student's module.
        teacher_source: Dotted name of the teacher's module.
        loss: Configuration of the loss.
        recorder: Name of the recorders. Defaults to ``what``.
        data_idx: Which of the module's outputs, when it gives several; a pair where they differ
            in student and teacher.
        connector: Configuration of a module that the student's output passes first.
        keys: The loss's arguments for student and teacher.
    """
    recorder = recorder or what
    indices = data_idx if isinstance(data_idx, tuple) else (data_idx, data_idx)
    student, teacher = (
        {
            'recorder': recorder,
            **({} if index is None else {'data_idx': index}),
            'from_student': from_student,
        }
        for index, from_student in zip(indices, (True, False), strict=True)
    )
    if connector is not None:
        student['connector'] = what
    return {
        'student_recorders': {recorder: {'type': 'ModuleOutputs', 'source': student_source}},
        'teacher_recorders': {recorder: {'type': 'ModuleOutputs', 'source': teacher_source}},
        'connectors': {} if connector is None else {what: dict(connector)},
        'distill_losses': {f'loss_{what}': dict(loss)},
        'loss_forward_mappings': {f'loss_{what}': {keys[0]: student, keys[1]: teacher}},
    }


def merge(*configs: Mapping[str, Any]) -> dict[str, Any]:
    """One configuration with the recorders, connectors and losses of several."""
    merged: dict[str, Any] = {}
    for config in configs:
        for key, entries in config.items():
            merged.setdefault(key, {}).update(entries)
    return merged


def _check_sources(key: str, recorders: Mapping[str, Any], model: nn.Module) -> None:
    """Module recorders must name modules; MMRazor's own error does not say what there is."""
    modules = dict(model.named_modules())
    for name, recorder in recorders.items():
        require_mapping(f'{key}.{name}', recorder)
        if not str(recorder.get('type', '')).startswith('Module'):
            continue
        source = str(recorder.get('source', ''))
        if source not in modules:
            raise KeyError(
                f'{key}.{name} records {source!r}, which is not in the model; '
                f'{closest(source, get_close_matches(source, filter(None, modules), 8, 0))}, ...'
            )
        parts = source.split('.')
        for i in range(1, len(parts)):
            around = '.'.join(parts[:i])
            if _recomputes(modules[around]) and modules[around].training:
                raise ValueError(
                    f'{key}.{name} records {source!r} inside of {around!r}, which has '
                    'with_cp=True: what is computed there has no gradient; allowed: the output '
                    f'of {around!r} itself, or with_cp=False'
                )


def _recomputes(module: nn.Module) -> bool:
    """Whether a module is computed once more in the backward pass.

    A backbone or a stage that hands ``with_cp`` on to its blocks is not, only they are.
    """
    owners = [part for part in module.modules() if getattr(part, 'with_cp', False)]
    return owners == [module]
