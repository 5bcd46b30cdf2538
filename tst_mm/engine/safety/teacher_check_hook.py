"""TeacherCheckHook: the teacher's metric before training, to see that it is a good one."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import torch
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

from tst_mm.registry import HOOKS
from tst_mm.utils import closest
from tst_mm.utils.unwrap import unwrap_model


@HOOKS.register_module()
class TeacherCheckHook(Hook):
    """Validate teacher and student before training starts and log their metrics side by side.

    Both go through the run's own validation loader and evaluator, each with its own preprocessing.
    A resumed run has been checked before and is not checked again.

    Args:
        num_batches: Validation batches to look at, on each rank. Defaults to None, all of them.
            Metrics over a part of the images are rough.
        min_metric: Lowest accepted value of the teacher by the metric's name, as in
            ``{'accuracy/top1': 70.0}``; a teacher below it stops the run. Defaults to none.

    Raises:
        ValueError: ``num_batches`` is no whole number from 1, the run has no validation, its model
            no teacher, or the teacher is below ``min_metric``.
        KeyError: ``min_metric`` names a metric that the validation does not give.
    """

    # After all other hooks are ready.
    priority = 'LOW'

    def __init__(
        self, num_batches: int | None = None, min_metric: Mapping[str, float] | None = None
    ) -> None:
        if num_batches is not None and (type(num_batches) is not int or num_batches < 1):
            raise ValueError(
                f'num_batches is {num_batches!r}; allowed: whole numbers from 1, or None'
            )
        self.num_batches = num_batches
        self.min_metric = dict(min_metric or {})

    def before_run(self, runner: Runner) -> None:
        """Refuse a run that cannot be checked."""
        if not hasattr(unwrap_model(runner), 'teacher'):
            raise ValueError(
                f'TeacherCheckHook: the model ({type(unwrap_model(runner)).__name__}) has no '
                'teacher; remove the hook'
            )

    def before_train(self, runner: Runner) -> None:
        """Do it."""
        if runner.iter > 0:
            return
        if runner.val_loop is None:
            raise ValueError(
                'TeacherCheckHook: the run has no validation; allowed: a config with val_cfg, '
                'val_dataloader and val_evaluator, or no such hook'
            )
        model = unwrap_model(runner)
        teacher = self._validate(runner, model.teacher.model)
        student = self._validate(runner, model.student)
        part = f'{self.num_batches} batches' if self.num_batches else 'all batches'
        # A detector that finds nothing has no metric at all, as a fresh student may.
        lines = [
            f'{name}: teacher {teacher.get(name, "none")}, student {student.get(name, "none")}'
            for name in {**teacher, **student}
        ]
        told = '; '.join(lines) or 'Neither teacher nor student finds anything: there is no metric'
        runner.logger.info(f'Teacher check on {part}, before training. {told}')
        for name, least in self.min_metric.items():
            if teacher and name not in teacher:
                raise KeyError(f'min_metric has {name!r}; {closest(name, teacher)}')
            reached = teacher.get(name)
            if reached is None or not reached >= least:
                raise ValueError(
                    f'the teacher reaches {name} {reached}; allowed: at least {least} '
                    '(min_metric). Is its checkpoint the right one, and are classes and '
                    "preprocessing those of its training? Its metric is the validation set's"
                )

    @torch.no_grad()
    def _validate(self, runner: Runner, model: BaseModel) -> dict[str, Any]:
        """Metrics of a model; its mode is what it was."""
        loader, evaluator = runner.val_loop.dataloader, runner.val_loop.evaluator
        training, ids = model.training, []
        model.eval()
        for data_batch in islice(loader, self.num_batches):
            outputs = model.val_step(data_batch)
            evaluator.process(data_samples=outputs, data_batch=data_batch)
            ids += [sample.get('img_id') for sample in outputs]
        model.train(training)
        if self.num_batches is None:
            return evaluator.evaluate(len(loader.dataset))
        ids = [item for part in all_gather_object(ids) for item in part]
        # COCO's metric would count the images that were not looked at as missed.
        limited = [metric for metric in evaluator.metrics if hasattr(metric, 'img_ids')]
        for metric in limited:
            metric.img_ids = sorted(set(ids))
        metrics = evaluator.evaluate(len(ids))
        for metric in limited:
            metric.img_ids = None
        return metrics
