"""DetectionDistiller: TST over mmdet's detectors and instance and panoptic segmentors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from tst_mm.augment import Draw
from tst_mm.registry import MODELS

from .base import BaseDistiller
from .dry_run import PYRAMID_SIZES, dry_runs
from .heads import (
    REGION_EXTRACTOR,
    box_forward,
    dense_logits,
    has_regions,
    num_classes,
    region_logits,
    run_box_heads,
    stages,
)
from .kd import sources
from .labels import move_labels
from .planner import Plan

#: Recorder of the regions of interest that the student's region head sees.
ROIS = 'rois'
#: What :meth:`DetectionDistiller.ask_teacher` can run one by one.
_PARTS = ('backbone', 'neck', 'bbox_head', 'rpn_head', 'roi_head')


@MODELS.register_module()
class DetectionDistiller(BaseDistiller):
    """Distils an mmdet detector; see :class:`BaseDistiller` for the other arguments.

    What is compared depends on what both networks give (:mod:`~.planner`). Two dense heads with
    maps of the same shape (RetinaNet, FCOS, GFL, RTMDet, YOLOX, ...): their class logits, with
    :class:`BinaryKLDivergence` for sigmoids and :class:`AnchorKLDivergence` for softmaxes. Two
    region heads (Faster, Mask and Cascade R-CNN): class logits on the *student's* regions, with
    ``KLDivergence`` at temperature 1; of a cascade, its first stage, which is trained on
    proposals. With ``mimic`` the feature levels too. All others (DETR and its kin, SOLO,
    Mask2Former, one-stage from two-stage): feature levels.

    Args:
        mimic: Also compare feature levels of equal stride, through 1x1 connectors on the
            student's side, where there are logits to compare. Defaults to True. Only for the
            default ``distiller``.
        min_size: Boxes with a shorter side, in pixels, are dropped after they moved.
        min_visible: Boxes of which a smaller part, in [0, 1], stays in the image are dropped.
        kwargs: See :class:`BaseDistiller`.
    """

    def __init__(
        self,
        *args: Any,
        mimic: bool = True,
        min_size: float = 1.0,
        min_visible: float = 0.1,
        distiller: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.mimic = mimic
        self.min_size = min_size
        self.min_visible = min_visible
        super().__init__(*args, distiller=distiller, **kwargs)
        if self.label_trust:
            raise ValueError(
                'label_trust is True; allowed: False, as detectors average their losses over '
                'anchors or regions of their own'
            )
        if not _has_masks(self.student) and _has_masks(self.teacher.model):
            # Its losses would ask for masks that a box detector's data set does not load.
            self.teacher.model.roi_head.mask_head = None

    def check_pair(self) -> None:
        """Both must tell the same number of classes apart."""
        student, teacher = num_classes(self.student), num_classes(self.teacher.model)
        if student and teacher and student[1] != teacher[1]:
            raise ValueError(
                f'teacher has {teacher[1]} classes, student {student[1]} ({teacher[0]}, '
                f'{student[0]}); allowed: the same number'
            )

    def default_kd(self) -> dict[str, Any]:
        """Class logits where they can be compared, and feature levels."""
        models = (self.student, self.teacher.model)
        plan = Plan(self.plan, *models)
        runs = dry_runs(models, run_box_heads, PYRAMID_SIZES)
        if plan.wants('logits'):
            find = region_logits if has_regions(self.student) else dense_logits
            found = [
                find(model, run) for model, run in zip(models, runs or (None, None), strict=True)
            ]
            activation = plan.agree(*found)
            if runs and has_regions(self.student) and not plan.own_levels(runs):
                # Its regions are those of several copies of an image (Trident).
                plan.reasons.append(f'{plan.kinds[0]} does not train on the images as they are')
                activation = None
            if activation is not None:
                plan.add_logits('kd', *found, _loss(activation, found[0].channels, find))
        if plan.wants('features', default=self.mimic):
            plan.add_features(runs)
        elif plan.empty:
            plan.reasons.append('mimic is False')
        return plan.result()

    def complete_kd(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Record the student's regions where the teacher's region head will need them."""
        config = dict(config)
        self._asked = {source.split('.')[0] for source in sources(config)}
        if 'roi_head' in self._asked:
            config['student_recorders'] = {
                **(config.get('student_recorders') or {}),
                ROIS: {
                    'type': 'ModuleInputs',
                    'source': stages(self.student, REGION_EXTRACTOR)[0][0],
                },
            }
        return config

    def ask_teacher(self, inputs: Tensor, data_samples: list) -> None:
        """One pass for the features, then only those heads that are recorded."""
        model = self.teacher.model
        if not self._asked.issubset(_PARTS):
            model(inputs, data_samples, mode='tensor')
            return
        features = model.extract_feat(inputs)
        for name in ('bbox_head', 'rpn_head'):
            if name in self._asked:
                getattr(model, name)(features)
        if 'roi_head' in self._asked:
            recorder = self.distiller.student_recorders.get_recorder(ROIS)
            box_forward(model, features, recorder.get_record_data(data_idx=1))

    def valid_sizes(self, inputs: Tensor, data_samples: list) -> list[tuple[int, int]]:
        """``img_shape``: the image before it was padded to the batch."""
        return [tuple(sample.img_shape[:2]) for sample in data_samples]

    def move_labels(self, data_samples: list, draw: Draw) -> list:
        """Everything in a data sample that has a place in the image."""
        return move_labels(data_samples, draw, self.min_size, self.min_visible)

    def confidence_loss(self, model: nn.Module) -> tuple[nn.Module, int] | None:
        """The class loss of the (last) box head, background not counted; None without one."""
        found = num_classes(model)
        head = model.get_submodule(found[0]) if found else None
        loss = getattr(head, 'loss_cls', None)
        return None if loss is None else (loss, found[1])


def _loss(activation: str, channels: int, find: Any) -> dict[str, Any]:
    """The distillation loss of class logits."""
    if activation == 'softmax':
        if find is region_logits:
            return {'type': 'KLDivergence', 'tau': 1, 'loss_weight': 1.0}
        return {'type': 'tst_mm.AnchorKLDivergence', 'channels': channels}
    loss: dict[str, Any] = {'type': 'tst_mm.BinaryKLDivergence'}
    if activation == 'probability':
        loss['activated'] = True
    return loss


def _has_masks(model: nn.Module) -> bool:
    return has_regions(model) and model.roi_head.with_mask
