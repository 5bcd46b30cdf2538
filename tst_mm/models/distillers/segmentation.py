"""SegmentationDistiller: TST over mmseg's encoder-decoders."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from tst_mm.augment import Draw
from tst_mm.registry import MODELS

from .base import BaseDistiller
from .dry_run import SIZES, dry_runs
from .heads import pixel_logits, run_pixel_heads, stages
from .ignore_index import reconcile_ignore_indices
from .kd import sources
from .labels import move_labels
from .planner import Plan

_HEADS = ('decode_head', 'auxiliary_head')


@MODELS.register_module()
class SegmentationDistiller(BaseDistiller):
    """Distils an mmseg ``EncoderDecoder``; see :class:`BaseDistiller` for the arguments.

    By default the per-pixel class distributions are distilled with :class:`PixelKLDivergence`, of
    the decode heads (of a cascade, the last with a layer of class logits) with weight 1.5 and of
    the (first) auxiliary heads, where both have one, with weight 0.5, at temperature 1
    (reference). Where a decoder has no such logits (MaskFormer, Mask2Former), feature levels are
    distilled.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.augmenter is not None:
            self.ignore_index = reconcile_ignore_indices(self.student, self.teacher.model)

    def check_pair(self) -> None:
        """Both must tell the same number of classes apart."""
        classes = {}
        for who, model in (('student', self.student), ('teacher', self.teacher.model)):
            heads = stages(model, 'decode_head')
            if not heads:
                raise ValueError(
                    f'{who}: {type(model).__name__} has no decode_head; allowed: an '
                    f'EncoderDecoder, or a subclass of SegmentationDistiller that answers '
                    f'default_kd and ask_teacher'
                )
            classes[who] = getattr(heads[-1][1], 'num_classes', None)
        if classes['student'] != classes['teacher']:
            raise ValueError(
                f'teacher has {classes["teacher"]} classes, student {classes["student"]}; '
                f'allowed: the same number'
            )

    def default_kd(self) -> dict[str, Any]:
        """Logits of the decode heads and of the auxiliary heads, or else features."""
        models = (self.student, self.teacher.model)
        plan = Plan(self.plan, *models)
        runs = dry_runs(models, run_pixel_heads, SIZES)
        for kind, name, weight in (('decode_head', 'kd', 1.5), ('auxiliary_head', 'kd_aux', 0.5)):
            if not plan.wants('logits') or not all(stages(model, kind) for model in models):
                continue
            found = [
                pixel_logits(model, run, kind)
                for model, run in zip(models, runs or (None, None), strict=True)
            ]
            activation = plan.agree_on_pixels(*found)
            if activation is not None:
                loss = {'type': 'tst_mm.PixelKLDivergence', 'loss_weight': weight}
                if activation == 'sigmoid':
                    loss['use_sigmoid'] = True
                plan.add_logits(name, *found, loss)
        if plan.wants('features', default=plan.empty):
            plan.add_features(runs)
        return plan.result()

    def complete_kd(self, config: Any) -> Any:
        """Note which of the teacher's heads are recorded."""
        self._asked = [source for source in sources(config) if source.startswith(_HEADS)]
        return config

    def ask_teacher(self, inputs: Tensor, data_samples: list) -> None:
        """One pass through the encoder, then the heads that are recorded."""
        model = self.teacher.model
        features = model.extract_feat(inputs)
        before: tuple = ()
        for kind in _HEADS:
            asked = [source for source in self._asked if source.startswith(kind)]
            for name, head in stages(model, kind):
                if not asked:
                    break
                output = head(features, *before)
                before = (output,) if kind == 'decode_head' else ()
                asked = [s for s in asked if not f'{s}.'.startswith(f'{name}.')]
            before = ()

    def valid_sizes(self, inputs: Tensor, data_samples: list) -> list[tuple[int, int]]:
        """``img_shape``: the crop before it was padded to the batch."""
        return [tuple(sample.img_shape[:2]) for sample in data_samples]

    def move_labels(self, data_samples: list, draw: Draw) -> list:
        """Label, edge and depth maps; pixels from outside have the heads' ignore index."""
        return move_labels(data_samples, draw, ignore_index=self.ignore_index)

    def confidence_loss(self, model: nn.Module) -> tuple[nn.Module, int] | None:
        """The last decode head's (first) loss; ignored pixels do not count."""
        head = stages(model, 'decode_head')[-1][1]
        loss = getattr(head, 'loss_decode', None)
        loss = loss[0] if isinstance(loss, nn.ModuleList) else loss
        return None if loss is None else (loss, head.num_classes)
