"""SegmentationDistiller: TST over mmseg's encoder-decoders."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.structures import PixelData
from torch import Tensor, nn

from tst_mm.augment import Draw, move_maps
from tst_mm.augment.rows import take
from tst_mm.registry import MODELS

from .base import BaseDistiller
from .kd import compare, merge


@MODELS.register_module()
class SegmentationDistiller(BaseDistiller):
    """Distils an mmseg ``EncoderDecoder``; see :class:`BaseDistiller` for the arguments.

    By default the per-pixel class distributions are distilled with :class:`PixelKLDivergence`, of
    the decode heads with weight 1.5 and of the (first) auxiliary heads, where both have one, with
    weight 0.5, at temperature 1 (reference).
    """

    def check_pair(self) -> None:
        """Both must tell the same number of classes apart."""
        student, teacher = (_decode_head(m) for m in (self.student, self.teacher.model))
        if student.num_classes != teacher.num_classes:
            raise ValueError(
                f'teacher has {teacher.num_classes} classes, student {student.num_classes}; '
                f'allowed: the same number'
            )

    def default_kd(self) -> dict[str, Any]:
        """Logits of the decode heads and of the auxiliary heads."""
        models = (self.student, self.teacher.model)
        loss = {'type': 'tst_mm.PixelKLDivergence', 'loss_weight': 1.5}
        kd = compare('kd', *(_logits(model, 'decode_head') for model in models), loss)
        if all(model.with_auxiliary_head for model in models):
            loss = {'type': 'tst_mm.PixelKLDivergence', 'loss_weight': 0.5}
            sources = (_logits(model, 'auxiliary_head') for model in models)
            kd = merge(kd, compare('kd_aux', *sources, loss))
        return kd

    def ask_teacher(self, inputs: Tensor, data_samples: list) -> None:
        """One pass through the encoder, then every head."""
        model = self.teacher.model
        features = model.extract_feat(inputs)
        model.decode_head(features)
        if model.with_auxiliary_head:
            heads = model.auxiliary_head
            for head in heads if isinstance(heads, nn.ModuleList) else [heads]:
                head(features)

    def valid_sizes(self, inputs: Tensor, data_samples: list) -> list[tuple[int, int]]:
        """``img_shape``: the crop before it was padded to the batch."""
        return [tuple(sample.img_shape[:2]) for sample in data_samples]

    def move_labels(self, data_samples: list, draw: Draw) -> list:
        """Label maps, all at once; what comes from outside has the head's ignore index."""
        if not draw.moved_images:
            return data_samples
        rows = list(draw.moved_images)
        maps = [data_samples[i].gt_sem_seg.data for i in rows]
        for i, label_map in zip(rows, maps, strict=True):
            size, image = tuple(label_map.shape[-2:]), draw.sizes[i]
            if label_map.shape != maps[0].shape or size[0] < image[0] or size[1] < image[1]:
                raise ValueError(
                    f'label map of {data_samples[i].get("img_path")} is {size}; allowed: the size '
                    f'of the padded batch, at least {image}'
                )
        matrix, extents = take(draw.matrix, rows), take(draw.extents, rows)
        ignore_index = _decode_head(self.student).ignore_index
        moved = move_maps(torch.cat(maps), matrix, extents, ignore_index)
        samples = list(data_samples)
        for i, label_map in zip(rows, moved.unsqueeze(1), strict=True):
            samples[i] = data_samples[i].new()
            samples[i].gt_sem_seg = PixelData(data=label_map)
        return samples

    def confidence_loss(self, model: nn.Module) -> tuple[nn.Module, int]:
        """The decode head's (first) loss; ignored pixels do not count."""
        head = _decode_head(model)
        loss = head.loss_decode
        return loss[0] if isinstance(loss, nn.ModuleList) else loss, head.num_classes


def _decode_head(model: nn.Module) -> nn.Module:
    """The decode head: of a cascade, the last.

    Raises:
        ValueError: The model is no encoder-decoder.
    """
    head = getattr(model, 'decode_head', None)
    if isinstance(head, nn.ModuleList):
        head = head[-1]
    if not hasattr(head, 'conv_seg'):
        raise ValueError(
            f'{type(model).__name__} has a {type(head).__name__} as decode head; allowed: '
            f'EncoderDecoder with a head that ends in conv_seg, or a subclass of '
            f'SegmentationDistiller that answers default_kd and ask_teacher'
        )
    return head


def _logits(model: nn.Module, head: str) -> str:
    """Dotted name of the layer that gives a head's class logits."""
    module = getattr(model, head)
    if isinstance(module, nn.ModuleList):
        head = f'{head}.{len(module) - 1 if head == "decode_head" else 0}'
    return f'{head}.conv_seg'
