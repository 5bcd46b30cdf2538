"""BaseDistiller: a student and its teacher; the two steps that the schedule alternates."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from tst_mm.augment import Draw, LearnedAugmenter, Normalization
from tst_mm.registry import MODELS
from tst_mm.utils import (
    closest,
    reject_unknown_arguments,
    reject_unknown_keys,
    require_mapping,
)
from tst_mm.utils.aliases import current_augmenter, current_objective

from ..build import build_model
from ..teacher import FrozenTeacher
from .kd import build_kd, kd_losses

BATCH_MODES = ('double', 'split')


class _Aside:
    """Keeps a module out of its owner's tree, and out of copies of the owner."""

    def __init__(self, module: nn.Module | None) -> None:
        self.module = module

    def __deepcopy__(self, memo: dict) -> _Aside:
        return self


class BaseDistiller(BaseModel):
    """A student that learns from a frozen teacher on clean and augmented images.

    Two steps, neither of which knows epochs:

    - *student step*, MMEngine's ``train_step``: the student's own losses and the distillation
      losses on the augmented and the clean images; the augmenter runs without gradient.
    - *augmenter step*, :meth:`augmenter_step`: the objective's gradient reaches the policy only;
      with an augmenter whose policy has a gradient.

    Only the student and the connectors are in the module tree: teacher and augmenter are outside
    of the state dict, EMA copies, distributed wrappers and the student's optimiser.

    Args:
        student: Model dictionary, ``dict(cfg_path=...)`` or module: an ordinary OpenMMLab model.
        teacher: See :class:`FrozenTeacher`.
        augmenter: ``dict(type='tst_mm.LearnedAugmenter', ...)``; None is plain distillation.
        objective: What a search by gradient minimises. Defaults to ``tst_mm.FlippedObjective``
            where the augmenter's policy has a gradient, else to none.
        distiller: Arguments of MMRazor's ``ConfigurableDistiller``; None takes the task's own.
        batch_mode: ``'double'`` (default, the paper): every image clean and augmented, twice the
            cost. ``'split'``: half of the images augmented, half clean, the cost of plain
            distillation.
        data_preprocessor: The student's and teacher's, where their dictionaries have none
            (mmpretrain keeps it beside the model).

    Raises:
        KeyError: Unknown keys or recorder sources.
        ValueError: A value outside what is allowed, or student and teacher that do not fit.
    """

    def __init__(
        self,
        student: Mapping[str, Any] | nn.Module,
        teacher: Mapping[str, Any],
        augmenter: Mapping[str, Any] | None = None,
        objective: Mapping[str, Any] | None = None,
        distiller: Mapping[str, Any] | None = None,
        batch_mode: str = 'double',
        data_preprocessor: Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> None:
        kind = type(self)
        known = {*signature(BaseDistiller).parameters, *signature(kind).parameters}
        reject_unknown_keys(kind.__name__, unknown, sorted(known - {'unknown', 'args', 'kwargs'}))
        if augmenter is None and objective is not None:
            raise KeyError('objective has no effect without an augmenter; give it one or leave it')
        if batch_mode not in BATCH_MODES:
            raise ValueError(f'batch_mode is {batch_mode!r}; {closest(batch_mode, BATCH_MODES)}')
        student = build_model('student', student, data_preprocessor)
        super().__init__(data_preprocessor=student.data_preprocessor)
        self.student = student
        self.teacher = FrozenTeacher(teacher, data_preprocessor)
        self.batch_mode = batch_mode
        self.check_pair()
        kd = self.default_kd() if distiller is None else distiller
        self.distiller = build_kd(self.complete_kd(kd), self.student, self.teacher.model)
        if augmenter is not None:
            require_mapping('augmenter', augmenter)
            augmenter = current_augmenter(augmenter)
        self._augmenter = _Aside(_build('augmenter', augmenter) if augmenter else None)
        # Beside the augmenter, not inside: plain distillation with another teacher needs it too.
        self._normalization = _Aside(
            Normalization.from_data_preprocessor(student.data_preprocessor)
        )
        #: What the augmenter drew for the last step of either kind.
        self.draw: Draw | None = None
        if self.augmenter is not None:
            self.augmenter.normalization = self._normalization.module
            moves_labels = kind.move_labels is not BaseDistiller.move_labels
            if moves_labels and not self.augmenter.labels_follow:
                raise ValueError(
                    f"augmenter has composition 'residual', whose overlaid copies the labels of "
                    f"{kind.__name__} cannot follow; allowed: 'sequence', 'summed' (preset "
                    f"'paper_dense')"
                )
            self.objective = self._build_objective(objective, augmenter)

    @property
    def augmenter(self) -> LearnedAugmenter | None:
        """The augmenter; None in plain distillation."""
        return self._augmenter.module

    # The four questions of a task ---------------------------------------------------------------

    def check_pair(self) -> None:
        """Raise ``ValueError`` when student and teacher cannot be compared."""
        raise NotImplementedError

    def default_kd(self) -> dict[str, Any]:
        """The task's distillation losses: arguments of ``ConfigurableDistiller``."""
        raise NotImplementedError

    def complete_kd(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add to the configuration, given or default, what :meth:`ask_teacher` needs."""
        return config

    def ask_teacher(self, inputs: Tensor, data_samples: list) -> None:
        """Run the teacher without labels, so that its recorders see what is distilled.

        Args:
            inputs: (B, C, H, W) in the teacher's normalisation.
            data_samples: B data samples; for their metainfo.
        """
        self.teacher.model(inputs, mode='tensor')

    def valid_sizes(self, inputs: Tensor, data_samples: list) -> list[tuple[int, int]]:
        """Height and width of each image without its padding."""
        return [tuple(inputs.shape[-2:])] * len(inputs)

    def move_labels(self, data_samples: list, draw: Draw) -> list:
        """Data samples whose labels follow a draw; the given ones are never modified."""
        return data_samples

    def confidence_loss(self, model: nn.Module) -> tuple[nn.Module, int]:
        """What is logged as confidence of student or teacher.

        Returns:
            The classification loss module of ``model`` and the number of its classes, without
            background.
        """
        raise NotImplementedError

    # The two steps ------------------------------------------------------------------------------

    def forward(
        self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor'
    ) -> Any:
        """The student's forward; ``mode='loss'`` is the student step.

        Args:
            inputs: (B, C, H, W), preprocessed.
            data_samples: B data samples with labels, for ``'loss'``.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.
        """
        if mode != 'loss':
            return self.student(inputs, data_samples, mode=mode)
        inputs, data_samples = self._student_batch(inputs, data_samples)
        with self.distiller.student_recorders:
            losses = self.student(inputs, data_samples, mode='loss')
        with torch.no_grad(), self.distiller.teacher_recorders:
            self.ask_teacher(self.teacher.inputs(inputs, self._normalization.module), data_samples)
        distilled = kd_losses(self.distiller)
        if losses.keys() & distilled.keys():
            raise KeyError(
                f'distill_losses has {sorted(losses.keys() & distilled.keys())}, names of the '
                f"student's own losses; allowed: other names"
            )
        return {**losses, **distilled}

    def augmenter_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """One step of a search by gradient; student and teacher are left exactly as they are.

        Args:
            data: A batch of the training loader.
            optim_wrapper: MMEngine's wrapper of an optimiser over the policy's parameters.

        Returns:
            What the objective's ``step`` does: 0-dim tensors without gradient.

        Raises:
            TypeError: The augmenter's policy has no gradient.
        """
        assert self.augmenter is not None, 'plain distillation has no augmenter stage'
        if self.objective is None:
            raise TypeError(
                f'augmenter is a {type(self.augmenter).__name__}, whose policy is set and not '
                "trained by a gradient; allowed: dict(type='tst_mm.PaperAugmenter', "
                "preset='recommended'), or a run without augmenter stages"
            )
        return self.objective.step(self, data, optim_wrapper)

    def _build_objective(
        self, config: Mapping[str, Any] | None, augmenter: Mapping[str, Any] | None
    ) -> Any:
        """The objective of a search by gradient; None where the policy has none."""
        assert self.augmenter is not None
        if not any(p.requires_grad for p in self.augmenter.policy.parameters()):
            if config is not None:
                raise ValueError(
                    f'objective has no effect: the policy of {type(self.augmenter).__name__} has '
                    "no gradient; allowed: None, or dict(type='tst_mm.PaperAugmenter') beside it"
                )
            return None
        config = {} if config is None else config
        require_mapping('objective', config)
        config = current_objective(config, augmenter or {})
        objective = _build('objective', {'type': 'tst_mm.FlippedObjective', **config})
        objective.prepare(self.student)
        return objective

    @torch.compiler.disable
    def _student_batch(self, inputs: Tensor, data_samples: list) -> tuple[Tensor, list]:
        """Augmented images first, then clean ones, with their labels."""
        if self.augmenter is None:
            return inputs, data_samples
        split = self.batch_mode == 'split'
        # An odd batch augments one more, so that a single image is augmented.
        count = (len(inputs) + 1) // 2 if split else len(inputs)
        with torch.no_grad():
            chosen, samples = inputs[:count], data_samples[:count]
            images, self.draw = self.augmenter(chosen, self.valid_sizes(chosen, samples))
            samples = self.move_labels(samples, self.draw)
        rest = count if split else 0
        return torch.cat((images, inputs[rest:])), [*samples, *data_samples[rest:]]

    def _apply(self, fn: Any, recurse: bool = True) -> BaseDistiller:
        """Move what is outside of the tree along."""
        super()._apply(fn, recurse)
        self.teacher.apply_(fn)
        device = next(self.student.parameters()).device
        for aside in (self._augmenter, self._normalization):
            if aside.module is not None:
                aside.module.to(device)
        return self


def _build(where: str, config: Mapping[str, Any]) -> Any:
    """Build a component; an unknown key is refused with the closest allowed one."""
    require_mapping(where, config)
    kind = config.get('type')
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if not callable(found):
        names = [f'tst_mm.{name}' for name in MODELS.module_dict]
        raise KeyError(f'{where} has type {kind!r}; {closest(str(kind), names)}')
    reject_unknown_arguments(where, config, found)
    return MODELS.build(config)
