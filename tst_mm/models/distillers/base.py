"""BaseDistiller: a student and its teacher; the two steps that the schedule alternates."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from inspect import signature
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from tst_mm.augment import Draw, LearnedAugmenter, Normalization
from tst_mm.utils import (
    closest,
    reject_unknown_keys,
    require_mapping,
)
from tst_mm.utils.aliases import current_augmenter
from tst_mm.utils.components import build_component

from ..build import build_model
from ..teacher import FrozenTeacher
from .image_losses import LossesOf, one_by_one
from .kd import build_kd, kd_losses
from .labels import fresh
from .scoring import build_objective, imitation_loss, score
from .shown_student import ShownStudent
from .trust import trusted_losses

BATCH_MODES = ('adaptive', 'double', 'split')


class _Aside:
    """Keeps a module out of its owner's tree, and out of copies of the owner."""

    def __init__(self, module: nn.Module | None) -> None:
        self.module = module

    def __deepcopy__(self, memo: dict) -> _Aside:
        return self


class BaseDistiller(ShownStudent, BaseModel):
    """A student that learns from a frozen teacher on clean and augmented images.

    Two steps, neither of which knows epochs:

    - *student step*, MMEngine's ``train_step``: the student's own losses and the distillation
      losses on the augmented and the clean images; the augmenter runs without gradient.
    - *scoring*, :meth:`score`: both look at images as the policy draws them, and the objective says
      how much worth teaching each is; nothing changes.

    Only the student and the connectors are in the module tree: teacher and augmenter are outside
    of the state dict, EMA copies, distributed wrappers and the student's optimiser.

    Args:
        student: Model dictionary, ``dict(cfg_path=...)`` or module: an ordinary OpenMMLab model.
        teacher: See :class:`FrozenTeacher`.
        augmenter: ``dict(type='tst_mm.LearnedAugmenter', ...)``; None is plain distillation.
        objective: What the search of the policy minimises, see :class:`tst_mm.search.Objective`;
            by default ``dict(type='tst_mm.ConfidenceObjective')``, for classifiers
            ``dict(type='tst_mm.TeachingObjective')``.
        distiller: Arguments of MMRazor's ``ConfigurableDistiller``; None takes the task's own.
        batch_mode: Which part of a batch is augmented. ``'adaptive'`` (default): as much as keeps
            the student from memorising its images, see :class:`AdaptiveAmountHook`, which
            :class:`AlternatingScheduleHook` brings along. A number from 0 to 1: that part of the
            images. ``'split'``: half of them. These cost what plain distillation costs.
            ``'double'`` (the paper): every image clean and augmented, twice the cost.
        label_trust: Whether a label counts only as far as the teacher believes it on that very
            image or pixel, augmented or clean: its loss is weighed by the teacher's probability of
            it. For classification and segmentation; off by default.
        plan: What the planner would choose otherwise, see :class:`~.planner.Plan`; for the
            default ``distiller`` only.
        data_preprocessor: The student's, in place of that of its ``cfg_path``, and where its
            dictionary has none (mmpretrain keeps it beside the model); and the teacher's where
            its config has none.

    Raises:
        KeyError: Unknown keys or recorder sources.
        ValueError: A value outside what is allowed, or student and teacher that do not fit.
    """

    #: Type of the objective where the config names none.
    default_objective = 'tst_mm.ConfidenceObjective'

    def __init__(
        self,
        student: Mapping[str, Any] | nn.Module,
        teacher: Mapping[str, Any],
        augmenter: Mapping[str, Any] | None = None,
        objective: Mapping[str, Any] | None = None,
        distiller: Mapping[str, Any] | None = None,
        batch_mode: str | float = 'adaptive',
        label_trust: bool = False,
        plan: Mapping[str, Any] | None = None,
        data_preprocessor: Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> None:
        kind = type(self)
        known = {*signature(BaseDistiller).parameters, *signature(kind).parameters}
        reject_unknown_keys(kind.__name__, unknown, sorted(known - {'unknown', 'args', 'kwargs'}))
        if augmenter is None and objective is not None:
            raise KeyError('objective has no effect without an augmenter; give it one or leave it')
        number = isinstance(batch_mode, (int, float)) and not isinstance(batch_mode, bool)
        if not (0 <= batch_mode <= 1 if number else batch_mode in BATCH_MODES):
            raise ValueError(
                f'batch_mode is {batch_mode!r}; {closest(str(batch_mode), BATCH_MODES)}, or a '
                'number from 0 to 1'
            )
        student = build_model('student', student, data_preprocessor, instead=True)
        super().__init__(data_preprocessor=student.data_preprocessor)
        self.student = student
        self.teacher = FrozenTeacher(teacher, data_preprocessor)
        if not isinstance(label_trust, bool):
            raise ValueError(f'label_trust is {label_trust!r}; allowed: True, False')
        self.label_trust = label_trust
        self.batch_mode = batch_mode
        #: Which part of a batch is augmented, in [0, 1]; moved by a hook where it is adaptive.
        self.fraction = float(batch_mode) if number else 1.0
        if plan is not None and distiller is not None:
            raise KeyError('plan has no effect beside a "distiller"; give one of them')
        self.plan = plan
        self.check_pair()
        kd = self.default_kd() if distiller is None else distiller
        self.distiller = build_kd(self.complete_kd(kd), self.student, self.teacher.model)
        if augmenter is not None:
            require_mapping('augmenter', augmenter)
            augmenter = current_augmenter(augmenter)
        self._augmenter = _Aside(build_component('augmenter', augmenter) if augmenter else None)
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
            self.objective = build_objective(objective, augmenter, self)

    @property
    def augmenter(self) -> LearnedAugmenter | None:
        """The augmenter; None in plain distillation."""
        return self._augmenter.module

    @property
    def normalization(self) -> Normalization:
        """What the student's input looks like."""
        return self._normalization.module

    # The four questions of a task ---------------------------------------------------------------

    def check_pair(self) -> None:
        """Raise ``ValueError`` when student and teacher cannot be compared."""

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

    def confidence_loss(self, model: nn.Module) -> tuple[nn.Module, int] | None:
        """The class loss of ``model`` and its classes less background, for the log; or None."""
        return None

    def loss_scales(self) -> dict[str, float]:
        """The weights of those losses of the student that are cross entropies, by name."""
        return {}

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
        if self.label_trust:
            losses, distilled = trusted_losses(self, inputs, data_samples)
        else:
            losses, distilled = self.distilled(inputs, data_samples)
        if losses.keys() & distilled.keys():
            raise KeyError(
                f'distill_losses has {sorted(losses.keys() & distilled.keys())}, names of the '
                f"student's own losses; allowed: other names"
            )
        return {**losses, **distilled}

    def score(self, data: Any, draws: int = 1) -> dict[str, Any]:
        """Augment a batch by the policy and judge the images as the objective does.

        Student and teacher compute their own losses, image by image, without gradient, with norm
        statistics and dropout as in evaluation. Nothing changes: no buffer, attribute, flag or
        random state of student, teacher and preprocessor.

        Args:
            data: A batch of B images of the training loader.
            draws: How often each image is drawn. Defaults to 1.

        Returns:
            ``objective``, ``loss_teacher`` (the teacher's total loss) and ``loss_student`` (the
            student's weakness, which falls as the student gets worse), each (n,) with n = draws *
            B, all images of the first draw first; ``terms``, the student's losses (n,) by name;
            ``draw``, the :class:`Draw` of the n images; and, where both have a plain class loss,
            ``teacher_confidence`` and ``student_confidence``, their mean probabilities of the true
            classes, 0-dim.
        """
        assert self.augmenter is not None, 'plain distillation has no policy to search'
        return score(self, data, draws)

    def imitation_loss(self, data: Any) -> Tensor:
        """The distillation loss on clean images, 0-dim; nothing changes, see :meth:`score`.

        Args:
            data: A batch of the training loader.
        """
        return imitation_loss(self, data)

    def image_losses(
        self,
        losses_of: LossesOf,
        inputs: Tensor,
        data_samples: list,
        modules: nn.Module,
        watch: AbstractContextManager | None = None,
    ) -> dict[str, Tensor]:
        """The losses of each image, from a function that gives those of a batch.

        Args:
            losses_of: Computes losses by name.
            inputs: (n, C, H, W).
            data_samples: n data samples.
            modules: Whose parts compute them.
            watch: Open while the losses are computed that are returned. Defaults to nothing.

        Returns:
            (n,) by name.
        """
        with watch or nullcontext():
            return one_by_one(losses_of, inputs, data_samples)

    def distilled(self, inputs: Tensor, data_samples: list) -> tuple[dict, dict]:
        """The student's own losses and the distillation losses on a batch."""
        with self.distiller.student_recorders:
            losses = self.student(inputs, fresh(data_samples), mode='loss')
        with torch.no_grad(), self.distiller.teacher_recorders:
            images = self.teacher.inputs(inputs, self.normalization)
            self.ask_teacher(images, fresh(data_samples))
        return losses, kd_losses(self.distiller)

    @torch.compiler.disable
    def _student_batch(self, inputs: Tensor, data_samples: list) -> tuple[Tensor, list]:
        """Augmented images first, then clean ones, with their labels."""
        if self.augmenter is None:
            return inputs, data_samples
        self.normalization.check_once(inputs)
        count = self._count(len(inputs))
        if not count:
            self.draw = None
            return inputs, data_samples
        with torch.no_grad():
            chosen, samples = inputs[:count], data_samples[:count]
            images, self.draw = self.augmenter(chosen, self.valid_sizes(chosen, samples))
            samples = self.move_labels(samples, self.draw)
        rest = 0 if self.batch_mode == 'double' else count
        return torch.cat((images, inputs[rest:])), [*samples, *data_samples[rest:]]

    def _count(self, images: int) -> int:
        """How many images of a batch are augmented; a part of one is left to chance."""
        if self.batch_mode == 'double':
            return images
        if self.batch_mode == 'split':
            return (images + 1) // 2  # a single image is augmented
        whole, part = divmod(self.fraction * images, 1)
        return int(whole) + (part > 0 and self.augmenter.chance() < part)

    def _apply(self, fn: Any, recurse: bool = True) -> BaseDistiller:
        """Move what is outside of the tree along."""
        super()._apply(fn, recurse)
        self.teacher.apply_(fn)
        device = next(self.student.parameters()).device
        for aside in (self._augmenter, self._normalization):
            if aside.module is not None:
                aside.module.to(device)
        return self
