"""What the planner chooses for pairs of all kinds, and how the config overrules it."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.hub import get_config
from mmengine.optim import OptimWrapper

from ..dense import WIDTH, detection_data, detector, segmentation_data, segmentor
from ..dense import distiller as dense_distiller
from ..helpers import batch, classifier, distiller


def dense(name: str, **head) -> ConfigDict:
    """A narrow single-stage detector from mmdet's own config."""
    model = get_config(f'mmdet::{name}').model
    model['_scope_'] = 'mmdet'
    model.backbone.update(depth=18, init_cfg=None)
    model.neck.update(out_channels=WIDTH, in_channels=[64, 128, 256, 512])
    model.bbox_head.update(num_classes=3, in_channels=WIDTH, feat_channels=WIDTH, **head)
    return model


def compared(model) -> dict[str, str]:
    """Distillation losses by name: their classes."""
    losses = model.distiller.distill_losses
    return {name.removeprefix('loss_'): type(loss).__name__ for name, loss in losses.items()}


def step(model, data):
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3))
    losses = model.train_step(data, optimizer)
    assert all(value.isfinite().all() for value in losses.values())
    return losses


LEVELS = {f'mimic_p{level}': 'PearsonFeatureLoss' for level in range(5)}


def test_other_anchors_leave_features():
    teacher = detector('retinanet')
    teacher.bbox_head.anchor_generator.scales_per_octave = 1
    model = dense_distiller('DetectionDistiller', detector('retinanet'), teacher)
    assert compared(model) == LEVELS
    assert all(step(model, detection_data())[f'loss_{name}'] > 0 for name in LEVELS)


def test_probabilities_are_taken_as_such():
    """TOOD's class maps have passed the sigmoid already."""
    model = dense_distiller('DetectionDistiller', dense('tood/tood_r50_fpn_1x_coco.py'))
    assert model.distiller.distill_losses['loss_kd'].activated
    model = dense_distiller('DetectionDistiller', detector('fcos'))
    assert not model.distiller.distill_losses['loss_kd'].activated


def test_classes_with_a_background_are_a_softmax():
    """YOLACT: what all classes of an anchor share changes no probability and no loss."""
    config = get_config('mmdet::yolact/yolact_r50_1xb8-55e_coco.py').model
    config['_scope_'] = 'mmdet'
    config.backbone.update(depth=18, init_cfg=None)
    config.neck.update(in_channels=[64, 128, 256, 512], out_channels=WIDTH)
    config.bbox_head.update(num_classes=3, in_channels=WIDTH, feat_channels=WIDTH)
    prototypes = (16, 16, 16, None, 16, 32)
    config.mask_head.update(in_channels=WIDTH, proto_channels=prototypes, num_classes=3)
    model = dense_distiller('DetectionDistiller', config, mimic=False, augmenter=None)
    assert compared(model) == {'kd': 'AnchorKLDivergence'}
    data = model.data_preprocessor(detection_data(((128, 128), (128, 128)), masks=True), True)
    found = []
    for shared in (0.0, 3.0):
        with torch.no_grad():
            model.student.bbox_head.conv_cls.bias.add_(shared)
        found.append(model.distilled(**data)[1]['loss_kd'])
    assert found[0] > 0
    torch.testing.assert_close(*found)


def test_segmentors_with_one_channel_are_sigmoids():
    config = segmentor(2)
    for head in (config.decode_head, config.auxiliary_head):
        head.update(out_channels=1, threshold=0.3)
        head.loss_decode = dict(type='CrossEntropyLoss', use_sigmoid=True)
    model = dense_distiller('SegmentationDistiller', config, augmenter=None)
    data = model.data_preprocessor(segmentation_data(2), True)
    found = []
    for student, teacher in ((2.0, 2.0), (-4.0, 4.0)):
        for network, value in ((model.student, student), (model.teacher.model, teacher)):
            for head in (network.decode_head, network.auxiliary_head):
                head.dropout = None
                with torch.no_grad():
                    head.conv_seg.weight.zero_()
                    head.conv_seg.bias.fill_(value)
        losses = model(**data, mode='loss')
        found.append(losses['loss_kd'] + losses['loss_kd_aux'])
    same, opposite = found
    # Nothing where both agree; where the student says the opposite, a pull to the teacher.
    assert abs(same) < 1e-5 and opposite > 1
    assert torch.autograd.grad(opposite, model.student.decode_head.conv_seg.bias)[0] < -0.1


def test_a_cascade_teaches_by_its_last_head():
    teacher = get_config('mmseg::ocrnet/ocrnet_r101-d8_4xb2-40k_cityscapes-512x1024.py').model
    teacher.update(_scope_='mmseg', pretrained=None)
    teacher.data_preprocessor.size = (64, 96)
    teacher.backbone.update(depth=18, norm_cfg=dict(type='BN'))
    for head, width in zip(teacher.decode_head, (256, 512), strict=True):
        head.update(in_channels=width, channels=16, num_classes=5, norm_cfg=dict(type='BN'))
    teacher.decode_head[1].ocr_channels = 8
    model = dense_distiller('SegmentationDistiller', segmentor(), teacher)
    recorders = model.distiller.teacher_recorders.recorders
    assert recorders['kd'].source == 'decode_head.1.conv_seg'
    assert step(model, segmentation_data())['loss_kd'] > 0


def test_tasks_are_compared_one_by_one():
    from mmpretrain.structures import DataSample, MultiTaskDataSample

    loss = dict(type='mmpretrain.CrossEntropyLoss')
    config = classifier()
    config['head'] = dict(
        type='mmpretrain.MultiTaskHead',
        in_channels=16,
        task_heads={
            name: dict(type='mmpretrain.LinearClsHead', num_classes=count, loss=loss)
            for name, count in (('a', 5), ('b', 3))
        },
    )
    model = distiller(config, {'model': config, 'checkpoint': 'random'})
    assert set(compared(model)) == {'kd_a', 'kd_b'}
    data = batch()
    for i in range(6):
        sample = MultiTaskDataSample()
        sample.set_field(DataSample().set_gt_label(1), 'a')
        if i % 2:
            sample.set_field(DataSample().set_gt_label(2), 'b')
        data['data_samples'][i] = sample
    step(model, data)


def test_cosines_are_compared_at_their_scale():
    """ArcFace: without the margins that its head adds for the label while it trains."""
    config = classifier()
    config['head'] = dict(
        type='mmpretrain.ArcFaceClsHead',
        num_classes=4,
        in_channels=16,
        scale=30.0,
        loss=dict(type='mmpretrain.CrossEntropyLoss'),
    )
    model = distiller(config, {'model': config, 'checkpoint': 'random'}, augmenter=None)
    model.student.load_state_dict(model.teacher.model.state_dict())
    model.student.backbone.eval()
    data = model.data_preprocessor(batch(), True)
    losses = model(**data, mode='loss')
    assert abs(losses['loss_kd']) < 1e-5 < losses['loss']
    with torch.no_grad():  # a teacher that is as sure of the opposite
        model.teacher.model.head.norm_product.weight.neg_()
        head = model.student.head
        cosines = head.norm_product(model.student.extract_feat(data['inputs'])[-1])
    log_s, log_t = ((sign * 30 * cosines / 4).log_softmax(1) for sign in (1, -1))
    expected = 16 * (log_t.exp() * (log_t - log_s)).sum(1).mean()
    torch.testing.assert_close(model(**data, mode='loss')['loss_kd'].detach(), expected)


def test_the_config_overrules():
    pair = detector('retinanet'), detector('retinanet')
    model = dense_distiller('DetectionDistiller', *pair, plan=dict(logits=False))
    assert compared(model) == LEVELS
    plan = dict(levels=[(1, 2)], activation='softmax')
    model = dense_distiller('DetectionDistiller', *pair, plan=plan)
    assert compared(model) == {'kd': 'AnchorKLDivergence', 'mimic_p1': 'PearsonFeatureLoss'}
    model = dense_distiller('SegmentationDistiller', segmentor(), plan=dict(features=True))
    assert {'kd', 'kd_aux', 'mimic_p0'} <= compared(model).keys()


@pytest.mark.parametrize(
    ('plan', 'message'),
    [
        (dict(logit=True), "plan has no key 'logit'; did you mean 'logits'"),
        (dict(logits=2), 'plan.logits is 2; allowed: True, False'),
        (dict(activation='sigmoyd'), "plan.activation is 'sigmoyd'; did you mean 'sigmoid'"),
        (dict(levels=[(0, 9)]), 'plan.levels is .* pairs of one of 5 levels of the student'),
        (dict(logits=False, features=False), 'nothing of student RetinaNet .* can be compared'),
    ],
)
def test_mistakes_are_named(plan, message):
    with pytest.raises((KeyError, ValueError), match=message):
        dense_distiller('DetectionDistiller', detector('retinanet'), plan=plan)


def test_a_plan_beside_a_distiller_is_refused():
    kd = distiller().default_kd()
    with pytest.raises(KeyError, match='plan has no effect beside a "distiller"'):
        distiller(distiller=kd, plan=dict(features=True))
