"""Students, teachers and batches of the step cases: real networks, smaller on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hub import get_config
from torch import nn

from tst_mm.registry import MODELS

from .batches import Shape, box_batch, class_batch, map_batch

CONFIGS = Path(__file__).parents[2] / 'configs'


@dataclass(frozen=True)
class Case:
    """A student, a teacher and what they see.

    Attributes:
        name: What tables call the case.
        about: The networks and the batch in words.
        distiller: The class of the distiller.
        student: The config of the student.
        teacher: The config of the teacher.
        shape: The shape (B, C, H, W) of a batch.
        data: What makes a batch as a loader gives it, from its shape (B, C, H, W).
    """

    name: str
    about: str
    distiller: str
    student: dict[str, Any]
    teacher: dict[str, Any]
    shape: Shape
    data: Callable[[Shape], dict[str, Any]]

    def build(
        self, augmenter: bool, batch_mode: str | float = 'double', seed: int = 0
    ) -> nn.Module:
        """A distiller in training mode, with random weights."""
        torch.manual_seed(seed)
        model = MODELS.build(
            {
                'type': f'tst_mm.{self.distiller}',
                'student': self.student,
                'teacher': {'model': self.teacher, 'checkpoint': 'random'},
                'augmenter': {'type': 'tst_mm.LearnedAugmenter'} if augmenter else None,
                'batch_mode': batch_mode,
            }
        )
        model.init_weights()
        return model.train()


def cases(device: torch.device) -> dict[str, Case]:
    """The step cases by name: the sizes of the recipes on a GPU, small ones on a CPU."""
    import mmdet.models  # noqa: F401  (registers)
    import mmseg.models  # noqa: F401

    large = device.type == 'cuda'
    built = [
        _demo(),
        _classification((64, 3, 32, 32)),
        _detector('faster_rcnn', (2, 3, 800, 1344) if large else (2, 3, 256, 320), large),
        _detector('retinanet', (2, 3, 800, 1344) if large else (2, 3, 256, 320), large),
        _segmentation((2, 3, 512, 1024) if large else (2, 3, 96, 192), large),
    ]
    return {case.name: case for case in built}


def _demo() -> Case:
    student, teacher = (
        _with_preprocessor(Config.fromfile(CONFIGS / 'demo' / f'classification_{name}.py'))
        for name in ('plain', 'teacher')
    )
    return Case(
        'demo',
        'the classification demo: ResNet-18 of 24 and of 8 channels, 60 x 1 x 28 x 28',
        'ClassificationDistiller',
        student,
        teacher,
        (60, 1, 28, 28),
        class_batch,
    )


def _classification(shape: Shape) -> Case:
    def network(depth: int) -> dict[str, Any]:
        path = CONFIGS / 'classification' / f'plain_resnet{depth}_1xb128-240e_cifar100.py'
        return _with_preprocessor(Config.fromfile(path))

    return Case(
        'classification',
        f'ResNet-56 teaches ResNet-20, {_times(shape)}',
        'ClassificationDistiller',
        network(20),
        network(56),
        shape,
        class_batch,
    )


def _detector(name: str, shape: Shape, large: bool) -> Case:
    def network(depth: int, width: int) -> dict[str, Any]:
        kind = name.replace('_', '-')
        model = get_config(f'mmdet::{name}/{kind}_r50_fpn_1x_coco.py').model
        model['_scope_'] = 'mmdet'
        model.backbone.update(depth=depth, init_cfg=None)
        model.neck.out_channels = width
        if depth < 50:
            model.neck.in_channels = [64, 128, 256, 512]
        if name == 'retinanet':
            model.bbox_head.update(in_channels=width, feat_channels=width)
            return model
        model.rpn_head.update(in_channels=width, feat_channels=width)
        model.roi_head.bbox_roi_extractor.out_channels = width
        model.roi_head.bbox_head.update(in_channels=width, fc_out_channels=4 * width)
        model.train_cfg.rcnn.sampler.num = 512 if large else 64
        return model

    title = 'Faster R-CNN' if name == 'faster_rcnn' else 'RetinaNet'
    depth, width = (50, 256) if large else (34, 64)
    return Case(
        name,
        f'{title} R-{depth} teaches R-18, FPN of {width} channels, {_times(shape)}',
        'DetectionDistiller',
        network(18, width),
        network(depth, width),
        shape,
        box_batch,
    )


def _segmentation(shape: Shape, large: bool) -> Case:
    def network(depth: int) -> dict[str, Any]:
        model = get_config('mmseg::pspnet/pspnet_r50-d8_4xb2-40k_cityscapes-512x1024.py').model
        model['_scope_'] = 'mmseg'
        model.pretrained = None
        model.data_preprocessor.size = shape[-2:]
        norm = {'type': 'BN', 'requires_grad': True}
        model.backbone.update(depth=depth, norm_cfg=norm)
        small = depth < 50
        model.decode_head.update(in_channels=512 if small else 2048, norm_cfg=norm)
        model.auxiliary_head.update(in_channels=256 if small else 1024, norm_cfg=norm)
        if small:
            model.decode_head.channels, model.auxiliary_head.channels = 128, 64
        return model

    depth = 101 if large else 34
    return Case(
        'pspnet',
        f'PSPNet R-{depth} teaches R-18, {_times(shape)}',
        'SegmentationDistiller',
        network(18),
        network(depth),
        shape,
        map_batch,
    )


def _with_preprocessor(config: Config) -> dict[str, Any]:
    """The model of a config of mmpretrain, which keeps the preprocessor beside it."""
    preprocessor = {'type': 'ClsDataPreprocessor', **config.data_preprocessor}
    return {**config.model, 'data_preprocessor': preprocessor, '_scope_': 'mmpretrain'}


def _times(shape: Shape) -> str:
    return ' x '.join(map(str, shape))
