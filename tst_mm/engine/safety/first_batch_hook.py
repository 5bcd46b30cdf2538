"""FirstBatchHook: a run checks itself on its first batch."""

import time
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.hooks import Hook, IterTimerHook
from mmengine.runner import Runner

from tst_mm.models import BaseDistiller
from tst_mm.models.unchanged import unchanged
from tst_mm.registry import HOOKS
from tst_mm.utils import closest
from tst_mm.utils.unwrap import unwrap_model

from .first_batch import FirstBatch
from .first_batch_checks import CHECKS


@HOOKS.register_module()
class FirstBatchHook(Hook):
    """Look at the first batch of a run before it trains on it, and stop where something is wrong.

    ============== ===========================================================================
    check          what must hold
    ============== ===========================================================================
    `range`        images have the range that the student's preprocessor implies
    `labels`       a large shift of the images moves every label that has places
    `distillation` each distillation loss is above zero, with a gradient into the student
    `losses`       what could be learnt from is summed (a warning where it is not)
    `teacher`      the teacher is better than chance, of classes and pixels (a warning where the
                   batch is too small to tell; not of detectors)
    `stage`        scoring images for a search leaves everything as it was
    ============== ===========================================================================

    Nothing of the run changes: weights, buffers, attributes, gradients, random states and the order
    of the data are what they were. ``tools/train.py`` brings this hook along where the model is a
    distiller, in a dry run too. A resumed run was checked before.

    Args:
        checks: True (default) for all, False for none, or a list of names.

    Raises:
        KeyError: An unknown check.
        TypeError: ``checks`` is neither a truth value nor a list.
        ValueError: The model of the run is no distiller; or a check fails.
    """

    # After ExactResumeHook, before a stage that begins at the first iteration.
    priority = 'HIGHEST'

    def __init__(self, checks: bool | Sequence[str] = True) -> None:
        if isinstance(checks, bool):
            checks = list(CHECKS) if checks else []
        elif isinstance(checks, str) or not isinstance(checks, Sequence):
            raise TypeError(
                f'checks is {checks!r}; allowed: True, False, or a list of {", ".join(CHECKS)}'
            )
        for name in checks:
            if name not in CHECKS:
                raise KeyError(f'checks has {name!r}; {closest(name, CHECKS)}')
        self.checks = [name for name in CHECKS if name in checks]

    def before_run(self, runner: Runner) -> None:
        """Refuse a run that cannot be checked."""
        model = unwrap_model(runner)
        if not isinstance(model, BaseDistiller):
            raise ValueError(
                f'FirstBatchHook: the model ({type(model).__name__}) is no distiller; remove the '
                'hook'
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Look at the first batch of all."""
        if runner.iter == 0 and self.checks:
            start = time.time()
            self.look(runner, data_batch)
            for hook in runner.hooks:  # the first iteration's time does not contain the checks
                if isinstance(hook, IterTimerHook):
                    hook.t += time.time() - start

    def look(self, runner: Runner, data_batch: Any) -> str:
        """Do all checks on a batch of the training loader.

        Args:
            runner: Of the run; nothing of it changes.
            data_batch: The batch, which is not modified.

        Returns:
            What was seen.

        Raises:
            ValueError: A check fails; later ones are not done.
        """
        look = FirstBatch(runner, data_batch)
        model = look.model
        seen = []
        held: list[Any] = [model.student, model.teacher.model, model.distiller, model.augmenter]
        held += [model.normalization, getattr(model, 'objective', None)]
        with unchanged(*held), torch.enable_grad():
            for name in self.checks:
                try:
                    seen.append(CHECKS[name](look))
                except ValueError as error:
                    rest = [other for other in CHECKS if other != name]
                    raise ValueError(
                        f'the first batch fails {name}: {error}. To train all the same: '
                        f"custom_hooks=[dict(type='tst_mm.FirstBatchHook', checks={rest})]"
                    ) from error
        for warning in look.warnings:
            runner.logger.warning(f'First batch: {warning}')
        words = '; '.join(seen)
        runner.logger.info(f'First batch checked. {words}')
        return words
