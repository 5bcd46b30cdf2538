"""DetectionDistiller: TST over mmdet's detectors with dense heads or region heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from tst_mm.augment import Draw
from tst_mm.registry import MODELS

from .base import BaseDistiller
from .detection_labels import move_detection_labels
from .kd import compare, merge

#: Recorder of the regions of interest that the student's region head sees.
ROIS = 'rois'


@MODELS.register_module()
class DetectionDistiller(BaseDistiller):
    """Distils an mmdet detector; see :class:`BaseDistiller` for the other arguments.

    Detectors are single-stage (a ``bbox_head``: RetinaNet, FCOS, GFL, ...) or two-stage (an
    ``rpn_head`` and a ``roi_head``: Faster, Mask and Cascade R-CNN). By default class logits are
    distilled, with :class:`BinaryKLDivergence` for sigmoid heads and ``KLDivergence`` at
    temperature 1 for softmax heads, and with ``mimic`` the feature pyramid too. The teacher's
    region head is run on the *student's* regions; of a cascade, its first stage, which is trained
    on proposals.

    Args:
        mimic: Also compare the outputs of the necks, level by level, with a mean squared error
            through 1x1 connectors on the student's side. Only for the default ``distiller``.
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
        """Same classes and, for the logits to be comparable, the same kind of head."""
        student, teacher = _class_head(self.student), _class_head(self.teacher.model)
        if student.num_classes != teacher.num_classes:
            raise ValueError(
                f'teacher has {teacher.num_classes} classes, student {student.num_classes}; '
                f'allowed: the same number'
            )

    def default_kd(self) -> dict[str, Any]:
        """Class logits and, with ``mimic``, feature levels."""
        student, teacher = self.student, self.teacher.model
        if _is_two_stage(student) != _is_two_stage(teacher):
            raise ValueError(
                f'student {type(student).__name__} and teacher {type(teacher).__name__} have '
                f'different heads; allowed: two single-stage or two two-stage detectors, or a '
                f'"distiller" that compares what they share'
            )
        sources = _logits(student), _logits(teacher)
        if not _is_two_stage(student):
            loss = {'type': 'tst_mm.BinaryKLDivergence'}
            kd = compare('kd', *sources, loss, data_idx=0)
        else:
            kd = compare('kd', *sources, {'type': 'KLDivergence', 'tau': 1, 'loss_weight': 1.0})
        return merge(kd, self._mimic()) if self.mimic else kd

    def complete_kd(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Record the student's regions where the teacher's region head will need them."""
        config = dict(config)
        recorders = config.get('teacher_recorders') or {}
        self._asked = {str(r.get('source', '')).split('.')[0] for r in recorders.values()}
        if 'roi_head' in self._asked:
            extractor = 'roi_head.bbox_roi_extractor'
            if isinstance(self.student.roi_head.bbox_roi_extractor, nn.ModuleList):
                extractor += '.0'
            config['student_recorders'] = {
                **(config.get('student_recorders') or {}),
                ROIS: {'type': 'ModuleInputs', 'source': extractor},
            }
        return config

    def ask_teacher(self, inputs: Tensor, data_samples: list) -> None:
        """One pass for the features, then only those heads that are recorded."""
        model = self.teacher.model
        features = model.extract_feat(inputs)
        for name in ('bbox_head', 'rpn_head'):
            if name in self._asked:
                getattr(model, name)(features)
        if 'roi_head' in self._asked:
            recorder = self.distiller.student_recorders.get_recorder(ROIS)
            rois = recorder.get_record_data(data_idx=1)
            stage = (0,) if isinstance(model.roi_head.bbox_head, nn.ModuleList) else ()
            model.roi_head._bbox_forward(*stage, features, rois)

    def valid_sizes(self, inputs: Tensor, data_samples: list) -> list[tuple[int, int]]:
        """``img_shape``: the image before it was padded to the batch."""
        return [tuple(sample.img_shape[:2]) for sample in data_samples]

    def move_labels(self, data_samples: list, draw: Draw) -> list:
        """Boxes, masks, ignored regions and semantic maps."""
        return move_detection_labels(data_samples, draw, self.min_size, self.min_visible)

    def confidence_loss(self, model: nn.Module) -> tuple[nn.Module, int]:
        """The class loss of the (last) box head; background does not count."""
        head = _class_head(model)
        return head.loss_cls, head.num_classes

    def _mimic(self) -> dict[str, Any]:
        """Mean squared errors between the levels of the two necks."""
        channels = []
        for who, model in (('student', self.student), ('teacher', self.teacher.model)):
            neck = getattr(model, 'neck', None)
            if not isinstance(getattr(neck, 'out_channels', None), int):
                raise ValueError(
                    f'{who}: mimic needs a neck with out_channels; allowed: an FPN, or mimic=False'
                )
            channels.append((neck.out_channels, neck.num_outs))
        (width, levels), (teacher_width, teacher_levels) = channels
        parts = []
        for level in range(min(levels, teacher_levels)):
            name = f'mimic_p{level}'
            connector = {
                'type': 'ConvModuleConnector',
                'in_channel': width,
                'out_channel': teacher_width,
                'act_cfg': None,
            }
            loss = {'type': 'L2Loss', 'normalize': False, 'div_element': True}
            parts.append(
                compare(
                    name,
                    'neck',
                    'neck',
                    loss,
                    data_idx=level,
                    connector=connector,
                    keys=('s_feature', 't_feature'),
                    recorder='neck',
                )
            )
        return merge(*parts)


def _is_two_stage(model: nn.Module) -> bool:
    return getattr(model, 'roi_head', None) is not None


def _has_masks(model: nn.Module) -> bool:
    return _is_two_stage(model) and model.roi_head.with_mask


def _class_head(model: nn.Module) -> nn.Module:
    """The head that classifies boxes: of a cascade, the last.

    Raises:
        ValueError: The detector has none of the supported heads.
    """
    head = model.roi_head.bbox_head if _is_two_stage(model) else getattr(model, 'bbox_head', None)
    if isinstance(head, nn.ModuleList):
        head = head[-1]
    if not all(hasattr(head, name) for name in ('num_classes', 'loss_cls')):
        raise ValueError(
            f'{type(model).__name__} has a {type(head).__name__} as box head; allowed: heads with '
            f'num_classes and loss_cls, or a subclass of DetectionDistiller that answers '
            f'confidence_loss, default_kd and ask_teacher'
        )
    return head


def _logits(model: nn.Module) -> str:
    """Dotted name of the module whose output holds the class logits."""
    if not _is_two_stage(model):
        return 'bbox_head'
    cascade = isinstance(model.roi_head.bbox_head, nn.ModuleList)
    return 'roi_head.bbox_head.0.fc_cls' if cascade else 'roi_head.bbox_head.fc_cls'
