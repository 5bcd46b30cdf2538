"""ClassificationDistiller: TST over any mmpretrain classifier."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from tst_mm.registry import MODELS

from ..objectives import is_sigmoid
from ..unchanged import unchanged
from .base import BaseDistiller
from .dry_run import dry_runs
from .heads import class_logits, class_loss
from .image_losses import LossesOf, at_once, one_by_one
from .planner import Plan

#: The losses of mmpretrain that are cross entropies, unless they have sigmoids.
_CROSS_ENTROPIES = ('CrossEntropyLoss', 'LabelSmoothLoss')


@MODELS.register_module()
class ClassificationDistiller(BaseDistiller):
    """Distils an mmpretrain classifier; see :class:`BaseDistiller` for the arguments.

    By default the class logits are distilled with ``KLDivergence`` at temperature 4 and weight 1
    (paper, CIFAR), that is ``CE + T^2 KL(teacher || student)`` over clean and augmented images;
    those of independent sigmoids (multi-label heads) with :class:`BinaryKLDivergence`; of heads
    with several tasks, those of each task that both have.

    Example:
        >>> model = dict(
        ...     type='tst_mm.ClassificationDistiller',
        ...     student=dict(cfg_path='mmpretrain::resnet/resnet18_8xb32_in1k.py'),
        ...     teacher=dict(
        ...         cfg_path='mmpretrain::resnet/resnet34_8xb32_in1k.py',
        ...         checkpoint='resnet34.pth'),
        ...     augmenter=dict(type='tst_mm.LearnedAugmenter'))
    """

    # Losses of single labels spread widely: here the form of the paper has the stronger signal.
    default_objective = 'tst_mm.TeachingObjective'

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.teacher.reader = getattr(self.student, 'head', None)
        #: By what computes losses whether it gives those of single images in one pass.
        self._whole: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()

    def default_kd(self) -> dict[str, Any]:
        """Kullback-Leibler divergence of the class logits.

        Raises:
            ValueError: The two tell different numbers of classes apart, or have no logits.
        """
        models = {'student': self.student, 'teacher': self.teacher.model}
        plan = Plan(self.plan, *models.values())
        logits = {}
        for who, model in models.items():
            runs = dry_runs([model])
            found = class_logits(model, runs and runs[0])
            if isinstance(found, str):
                raise ValueError(
                    f'{who}: {found}; allowed: classifiers whose output is (B, classes) or whose '
                    f'head ends in a linear layer (LinearClsHead, ...), or a "distiller" that '
                    f'compares something else'
                )
            logits[who] = found
        for task in logits['student'].keys() & logits['teacher'].keys():
            student, teacher = (logits[who][task] for who in models)
            if student.channels != teacher.channels:
                raise ValueError(
                    f'teacher has {teacher.channels} classes, student {student.channels}'
                    f'{f" ({student.head})" if task else ""}; allowed: the same number'
                )
            if plan.wants('logits'):
                # The student's own way of reading them, whatever the teacher was trained with.
                activation = (plan.choices.get('activation') or student.activation) == 'softmax'
                loss: dict[str, Any] = {'type': 'tst_mm.BinaryKLDivergence'}
                if activation:
                    loss = {'type': 'KLDivergence', 'tau': 4, 'loss_weight': 1.0}
                plan.add_logits(f'kd_{task}' if task else 'kd', student, teacher, loss)
        if plan.empty:
            plan.reasons.append(
                f'heads have tasks {sorted(logits["student"])} and {sorted(logits["teacher"])}'
            )
        if plan.wants('features', default=False):
            plan.add_features(dry_runs(list(models.values())))
        return plan.result()

    def image_losses(
        self,
        losses_of: LossesOf,
        inputs: Tensor,
        data_samples: list,
        modules: nn.Module,
        watch: AbstractContextManager | None = None,
    ) -> dict[str, Tensor]:
        """From one pass where the loss modules can, which is much faster on small images.

        Whether they can is found out once, on the first two images, and remembered.
        """
        whole = self._whole.get(modules)
        if whole is None:
            whole = self._whole[modules] = self._gives_single(
                losses_of, inputs, data_samples, modules
            )
        with watch or nullcontext():
            if whole:
                found = at_once(losses_of, inputs, data_samples, modules)
                assert found is not None
                return found
            return one_by_one(losses_of, inputs, data_samples)

    def _gives_single(
        self, losses_of: LossesOf, inputs: Tensor, data_samples: list, modules: nn.Module
    ) -> bool:
        """Whether one pass gives the losses of single images; leaves no trace."""
        images, samples = inputs[:2], data_samples[:2]
        # In full precision: half of it would tell a pass of two images from two passes.
        with (
            unchanged(self.student, self.teacher.model, self.distiller),
            torch.autocast(inputs.device.type, enabled=False),
        ):
            found = at_once(losses_of, images, samples, modules)
            if found is None:
                return False
            single = one_by_one(losses_of, images, samples)
        return all(torch.allclose(found[name], single[name], 1e-3, 1e-4) for name in single)

    def ask_teacher(self, inputs: Tensor, data_samples: list) -> None:
        """One pass; a task of several sees the images that have its label, as the student's."""
        model = self.teacher.model
        tasks = getattr(getattr(self.student, 'head', None), 'task_heads', None)
        theirs = getattr(getattr(model, 'head', None), 'task_heads', None)
        if not tasks or not theirs or all(task in s for task in tasks for s in data_samples):
            super().ask_teacher(inputs, data_samples)
            return
        for task, head in theirs.items():
            rows = [i for i, sample in enumerate(data_samples) if task in sample]
            if rows:
                head(model.extract_feat(inputs[rows]))

    def loss_scales(self) -> dict[str, float]:
        """The weight of a cross entropy over classes that exclude each other."""
        loss = class_loss(self.student)
        if type(loss).__name__ not in _CROSS_ENTROPIES or is_sigmoid(loss):
            return {}
        return {'loss': float(loss.loss_weight)}

    def confidence_loss(self, model: nn.Module) -> tuple[nn.Module, int] | None:
        """The head's loss module, over all classes; None of several tasks."""
        loss, head = class_loss(model), getattr(model, 'head', None)
        if loss is None or hasattr(head, 'task_heads'):
            return None
        found = class_logits(model, None)
        classes = getattr(head, 'num_classes', None)
        if not isinstance(classes, int):
            classes = None if isinstance(found, str) else found[''].channels
        return None if classes is None else (loss, classes)
