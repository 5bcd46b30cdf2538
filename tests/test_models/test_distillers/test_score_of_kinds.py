"""Scores of networks and losses of every kind: right as for the plain ones, and without a trace."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.config import ConfigDict
from mmengine.hub import get_config
from mmengine.logging import MessageHub
from torch import nn

from tst_mm.registry import MODELS

from .. import dense
from ..helpers import CROSS_ENTROPY, assert_same, batch, classifier, distiller, snapshot


class Poly(nn.Module):
    """A class loss of a user, whose name says nothing."""

    def forward(self, cls_score, label, avg_factor=None, **_):
        log_p = -F.cross_entropy(cls_score, label, reduction='none')
        return (1 - log_p - log_p.exp()).mean()


class TwoLosses(nn.Module):
    """The head's own loss, and a known one of small weight beside it."""

    def __init__(self):
        super().__init__()
        self.own, self.known = Poly(), MODELS.build({**CROSS_ENTROPY, 'loss_weight': 0.01})

    def forward(self, cls_score, label, **kwargs):
        return self.own(cls_score, label) + self.known(cls_score, label)


MODELS.register_module(name='TwoLosses', module=TwoLosses, force=True)


def single_stage(path: str) -> ConfigDict:
    """A narrow detector with a dense head, from mmdet's own config."""
    model = get_config(f'mmdet::{path}').model
    model['_scope_'] = 'mmdet'
    model.backbone.update(depth=18, init_cfg=None)
    model.neck.update(out_channels=dense.WIDTH, in_channels=[64, 128, 256, 512])
    model.bbox_head.update(num_classes=3, in_channels=dense.WIDTH, feat_channels=dense.WIDTH)
    return model


def detection(model: ConfigDict, teacher: ConfigDict | None = None):
    built = dense.distiller('DetectionDistiller', model, teacher, mimic=False)
    return built, dense.detection_data()


def classification(model: dict):
    return distiller(model, {'model': classifier(), 'checkpoint': 'random'}), batch()


def own_name():
    return classification(classifier(loss={'type': 'tst_mm.TwoLosses'}))


def soft_labels():
    """One half each, as Mixup makes them: the same loss with all logits negated."""
    from mmpretrain.structures import DataSample

    loss = {**CROSS_ENTROPY, 'use_sigmoid': True}
    config = classifier(classes=2, loss=loss, head={'cal_acc': False})
    model = distiller(config, {'model': config, 'checkpoint': 'random'})
    with torch.no_grad():
        model.student.head.fc.bias.fill_(-3.0)
    half = torch.tensor([0.5, 0.5])
    data = batch()
    return model, {**data, 'data_samples': [DataSample().set_gt_score(half) for _ in range(6)]}


def harmonised():
    config = dense.detector('retinanet')
    config.bbox_head.loss_cls = dict(type='GHMC', bins=30, momentum=0.0, use_sigmoid=True)
    config.bbox_head.loss_bbox = dict(type='L1Loss', loss_weight=0.0)
    return detection(config, dense.detector('retinanet'))


def hard_examples():
    """DDRNet, whose loss of hard pixels stands beside a small cross entropy."""
    config = get_config('mmseg::ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024.py')
    model = config.model
    model['_scope_'] = 'mmseg'
    model.data_preprocessor.size = (64, 96)
    model.backbone.update(channels=8, ppm_channels=8, norm_cfg=dict(type='BN'), init_cfg=None)
    model.decode_head.update(
        in_channels=32,
        channels=16,
        num_classes=5,
        norm_cfg=dict(type='BN'),
        loss_decode=[
            dict(type='OhemCrossEntropy', thres=0.9, min_kept=1000),
            dict(type='CrossEntropyLoss', loss_weight=0.01),
        ],
    )
    data = dense.segmentation_data()
    for i, sample in enumerate(data['data_samples']):  # one logit stands for many pixels
        sample.gt_sem_seg.data.fill_(1 + 2 * i)
    return dense.distiller('SegmentationDistiller', model, dense.segmentor()), data


def functions():
    """FreeAnchor computes its class losses in functions, where no module is."""
    config = single_stage('free_anchor/freeanchor_r50_fpn_1x_coco.py')
    config.bbox_head.loss_bbox.loss_weight = 0.01
    return detection(config)


def centerness():
    """The soft target of FCOS, alone."""
    config = dense.detector('fcos')
    config.bbox_head.loss_cls.loss_weight = config.bbox_head.loss_bbox.loss_weight = 0.0
    model, data = detection(config)
    with torch.no_grad():
        model.student.bbox_head.conv_centerness.bias.fill_(-3.0)
    return model, data


def probabilities(epoch: int):
    """TOOD's losses take probabilities; they are others after four epochs."""
    MessageHub.get_current_instance().update_info('epoch', epoch)
    return detection(single_stage('tood/tood_r50_fpn_1x_coco.py'))


def large():
    """A loss above ten, as DETR's is all the time."""
    config = dense.detector('retinanet')
    config.bbox_head.loss_cls.loss_weight = 30.0
    return detection(config)


#: By the kind of the student's loss: its distiller with a batch, and the layer that gives logits.
LOSSES = {
    'GHMC': (harmonised, 'bbox_head.retina_cls'),
    'OHEM': (hard_examples, 'decode_head.conv_seg'),
    'own name': (own_name, 'head.fc'),
    'functions': (functions, 'bbox_head.retina_cls'),
    'soft labels': (soft_labels, 'head.fc'),
    'centerness': (centerness, 'bbox_head.conv_centerness'),
    'probabilities': (lambda: probabilities(0), 'bbox_head.tood_cls'),
    'probabilities later': (lambda: probabilities(10), 'bbox_head.tood_cls'),
    'large': (large, 'bbox_head.retina_cls'),
}


def student_loss(model, data):
    losses = model.student(**model.student.data_preprocessor(deepcopy(data), True), mode='loss')
    return model.student.parse_losses(losses)[0]


@pytest.mark.parametrize('kind', LOSSES)
def test_any_loss_falls_as_the_student_gets_worse(kind):
    """Along the gradient of the student's own loss in the layer that gives its logits."""
    make, layer = LOSSES[kind]
    model, data = make()
    with torch.no_grad():
        model.augmenter.policy.probability_logits.fill_(-50.0)  # no operator acts
    for module in model.student.modules():
        if isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)):
            module.eval()
    weights = list(model.student.get_submodule(layer).parameters())
    loss = student_loss(model, data)
    assert kind != 'large' or loss > 10
    uphill = torch.autograd.grad(loss, weights)
    length = sum(float(gradient.square().sum()) for gradient in uphill)
    own, scores = [], []
    for share in (-0.1, 0.2):
        with torch.no_grad():
            for weight, gradient in zip(weights, uphill, strict=True):
                weight.add_(gradient, alpha=share * float(loss) / length)
        own.append(float(student_loss(model, data)))
        scores.append(float(model.score(deepcopy(data))['loss_student'].mean()))
    assert own[1] > own[0]
    assert scores[1] < scores[0]


def recomputed():
    """Blocks that are computed once more in a backward pass."""
    config = classifier(with_cp=True)
    return distiller(config, {'model': config, 'checkpoint': 'random'}), batch()


def bases():
    """EMAHead learns bases in training, outside of norm layers."""
    config = dense.segmentor()
    config.decode_head = dict(
        type='EMAHead',
        in_channels=512,
        in_index=3,
        channels=16,
        ema_channels=32,
        num_bases=8,
        num_stages=2,
        momentum=0.1,
        num_classes=5,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss'),
    )
    return dense.distiller('SegmentationDistiller', config), dense.segmentation_data()


def counting_loss():
    """A loss that remembers how many examples were how hard."""
    config = dense.detector('retinanet')
    config.bbox_head.loss_cls = dict(type='GHMC', bins=10, momentum=0.75, use_sigmoid=True)
    return detection(config)


@pytest.mark.parametrize('make', [recomputed, bases, counting_loss])
def test_no_kind_of_state_keeps_a_trace(make):
    model, data = make()
    parts = [model.student, model.teacher.model]
    before = [snapshot(part) for part in parts]
    for _ in range(2):
        model.score(deepcopy(data))
    for part, state in zip(parts, before, strict=True):
        assert_same(part, state)
    # A student step teaches the student and leaves the teacher.
    model.parse_losses(model(**model.data_preprocessor(data, True), mode='loss'))[0].backward()
    assert_same(model.teacher.model, before[1])
    assert any(weight.grad is not None for weight in model.student.parameters())


def test_a_head_that_rewrites_its_samples_leaves_them_to_the_next():
    """RTMDet-Ins puts tensors in the place of masks, of which the teacher makes its own."""
    model = get_config('mmdet::rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py').model
    model['_scope_'] = 'mmdet'
    model.data_preprocessor.batch_augments = None
    model.backbone.update(
        deepen_factor=0.167, widen_factor=0.125, init_cfg=None, norm_cfg=dict(type='BN')
    )
    model.neck.update(in_channels=[32, 64, 128], out_channels=32, norm_cfg=dict(type='BN'))
    model.bbox_head.update(
        in_channels=32, feat_channels=32, num_classes=3, norm_cfg=dict(type='BN')
    )
    model, _ = detection(model)
    data = dense.detection_data(((128, 128), (128, 128)), masks=True)
    for sample in data['data_samples']:
        del sample.ignored_instances
    losses, _ = model.parse_losses(model(**model.data_preprocessor(data, True), mode='loss'))
    score = model.score(data, draws=2)
    assert losses.isfinite() and score['loss_teacher'].isfinite().all()
    assert len(score['loss_student']) == 4
