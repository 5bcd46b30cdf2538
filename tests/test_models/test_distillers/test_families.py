"""Families of the libraries as student and teacher, cut small: a step that distils."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.hub import get_config
from mmengine.optim import OptimWrapper

from ..dense import detection_data, detector, distiller, segmentation_data, segmentor

pytestmark = pytest.mark.slow
SIZE = (128, 128)
CITYSCAPES = 'cityscapes-1024x1024.py'


def library(address: str) -> ConfigDict:
    """A library's model, without checkpoints and synchronised norms, for images of ``SIZE``."""
    model = get_config(address).model
    model['_scope_'] = address.split('::')[0]

    def cut(node):
        if isinstance(node, dict):
            if node.get('type') == 'SyncBN':
                node['type'] = 'BN'
            for key, value in node.items():
                if key == 'init_cfg' and 'checkpoint' in str(value):
                    node[key] = None
                elif key in ('num_queries', 'num_proposals') and isinstance(value, int):
                    node[key] = 20
                else:
                    cut(value)
        elif isinstance(node, list):
            for part in node:
                cut(part)

    cut(model)
    if 'pretrained' in model:
        model.pretrained = None
    if model['_scope_'] == 'mmseg':
        model.data_preprocessor.size = SIZE
    else:
        model.data_preprocessor.batch_augments = None
    return model


def r18(address: str) -> ConfigDict:
    """The same with ResNet-18 in place of ResNet-50."""
    model = library(address)
    model.backbone.update(depth=18, init_cfg=None)
    widths = {256: 64, 512: 128, 1024: 256, 2048: 512}
    neck = model.get('neck')
    if neck:
        neck.in_channels = [widths[width] for width in neck.in_channels]
    return model


DETECTORS = {
    'RTMDet-Ins': lambda: library('mmdet::rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py'),
    'YOLOX': lambda: library('mmdet::yolox/yolox_tiny_8xb8-300e_coco.py'),
    'SOLO': lambda: r18('mmdet::solo/solo_r50_fpn_1x_coco.py'),
    'Deformable DETR': lambda: r18('mmdet::deformable_detr/deformable-detr_r50_16xb2-50e_coco.py'),
    'Sparse R-CNN': lambda: r18('mmdet::sparse_rcnn/sparse-rcnn_r50_fpn_1x_coco.py'),
}
SEGMENTORS = {
    'PIDNet': lambda: library('mmseg::pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py'),
    'DDRNet': lambda: library(f'mmseg::ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_{CITYSCAPES}'),
    'SegFormer': lambda: library(f'mmseg::segformer/segformer_mit-b0_8xb1-160k_{CITYSCAPES}'),
}


def distils(model, data) -> None:
    """A step has finite losses and distillation that teaches the student."""
    data = model.data_preprocessor(copy.deepcopy(data), True)
    losses = model(**data, mode='loss')
    total, logs = model.parse_losses(losses)
    assert total.isfinite() and all(value.isfinite() for value in logs.values())
    kd = [value for name, value in losses.items() if 'kd' in name or 'mimic' in name]
    assert kd and all(value > 0 for value in kd)
    weights = [p for p in model.student.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(sum(kd), weights, allow_unused=True, retain_graph=True)
    assert sum(float(g.norm()) for g in gradients if g is not None) > 0
    OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-5)).update_params(total)


@pytest.mark.parametrize('name', DETECTORS)
def test_detectors(name):
    model = distiller('DetectionDistiller', DETECTORS[name](), DETECTORS[name]())
    data = detection_data((SIZE, SIZE), masks=True)
    for sample in data['data_samples']:
        del sample.ignored_instances
    distils(model, data)


@pytest.mark.parametrize('name', ['Deformable DETR', 'YOLOX'])
def test_a_detector_learns_from_another_family(name):
    teacher = DETECTORS[name]()
    student = detector('retinanet', classes=80)
    distils(distiller('DetectionDistiller', student, teacher), detection_data((SIZE, SIZE)))


@pytest.mark.parametrize('name', SEGMENTORS)
def test_segmentors(name):
    from mmengine.structures import PixelData

    model = distiller('SegmentationDistiller', SEGMENTORS[name]())
    data = segmentation_data(19, SIZE)
    for sample in data['data_samples']:
        sample.gt_edge_map = PixelData(data=(sample.gt_sem_seg.data == 3).long())
    distils(model, data)


def test_a_segmentor_learns_from_another_family():
    student = segmentor(19)
    student.data_preprocessor.size = SIZE
    model = distiller('SegmentationDistiller', student, SEGMENTORS['SegFormer']())
    distils(model, segmentation_data(19, SIZE))
