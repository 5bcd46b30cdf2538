"""The published search over real mmdet detectors."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from test_models.dense import detection_data, detector
from test_models.helpers import assert_same, policy_of, policy_optimizer, snapshot

from .helpers import augmenter_step, dense_distiller


def student_optimizer(model):
    return OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9))


@pytest.mark.parametrize(
    'student, teacher, masks',
    [
        ('retinanet', 'retinanet', False),
        ('fcos', 'fcos', False),
        ('gfl', 'gfl', False),
        ('faster_rcnn', 'faster_rcnn', False),
        ('faster_rcnn', 'cascade_mask_rcnn', False),
        ('mask_rcnn', 'mask_rcnn', True),
    ],
)
def test_one_step(student, teacher, masks):
    model = dense_distiller('DetectionDistiller', detector(student), detector(teacher))
    data = detection_data(masks=masks)
    optimizer = policy_optimizer(model, lr=0.1)
    student_before, teacher_before = snapshot(model), snapshot(model.teacher.model)
    policy = policy_of(model)
    logs = augmenter_step(model, data, optimizer)
    assert all(torch.isfinite(value) for value in logs.values())
    assert not torch.equal(policy, policy_of(model))
    assert_same(model, student_before)
    assert_same(model.teacher.model, teacher_before)


@pytest.mark.parametrize('name', ['faster_rcnn', 'fcos'])
def test_frozen_stages_and_norm_eval_survive_an_augmenter_stage(name):
    config = detector(name, depth=50)
    config.backbone.update(frozen_stages=1, norm_eval=True)
    config.neck.in_channels = [256, 512, 1024, 2048]
    model = dense_distiller('DetectionDistiller', config)
    frozen = [n for n, p in model.named_parameters() if not p.requires_grad]
    assert any('layer1' in n for n in frozen)
    before = snapshot(model)
    optimizer = policy_optimizer(model, lr=0.1)
    for _ in range(2):
        augmenter_step(model, detection_data(), optimizer)
    assert_same(model, before)
    assert not model.student.backbone.bn1.training and model.student.backbone.conv1.training


def test_images_without_objects_are_legal():
    for name in ('retinanet', 'faster_rcnn'):
        model = dense_distiller('DetectionDistiller', detector(name))
        logs = augmenter_step(model, detection_data(empty=True), policy_optimizer(model, lr=0.1))
        assert torch.isfinite(logs['loss']) and logs['student_confidence'] == 0


def test_terms_of_equal_networks_are_of_one_scale():
    """The reference's flipped focal loss is negligible; a plain flip would be 1e5 too large."""
    for name in ('retinanet', 'faster_rcnn'):
        model = dense_distiller('DetectionDistiller', detector(name, classes=80))
        model.teacher.model.load_state_dict(model.student.state_dict())
        logs = augmenter_step(model, detection_data(), policy_optimizer(model, lr=0.0))
        assert 0.1 < logs['loss_student'] / logs['loss_teacher'] < 10
        assert torch.isclose(logs['student_confidence'], logs['teacher_confidence'], atol=0.02)


def test_focal_flip_of_a_constant_prediction_has_its_closed_form():
    from mmdet.models.losses import FocalLoss

    from tst_mm.paper import flipped

    classes, anchors, positives = 5, 300, 6
    loss = FocalLoss(use_sigmoid=True, gamma=2.0, alpha=0.25)
    p = torch.tensor(0.1)
    logits = torch.logit(p).expand(anchors, classes)
    labels = torch.full((anchors,), classes)
    labels[:positives] = 2
    with flipped([loss]):
        value = loss(logits, labels, avg_factor=positives)
    # Positives -alpha p^2 log(1 - p), negatives -(1 - alpha) (1 - p)^2 log p, with equal weight.
    expected = -0.25 * p**2 * (1 - p).log() - 0.75 * (1 - p) ** 2 * p.log()
    assert torch.isclose(value, expected, rtol=1e-4)


def test_the_papers_preset():
    """Summed matrices with relaxed gates: boxes follow, both steps run, negated boxes count."""
    objective = dict(type='tst_mm.FlippedObjective', preset='paper')
    with pytest.raises(ValueError, match="composition 'residual'"):
        augmenter = dict(type='tst_mm.PaperAugmenter', preset='paper')
        dense_distiller('DetectionDistiller', detector('retinanet'), augmenter=augmenter)
    augmenter = dict(type='tst_mm.PaperAugmenter', preset='paper_dense')
    config = detector('retinanet')
    model = dense_distiller('DetectionDistiller', config, augmenter=augmenter, objective=objective)
    losses = model.train_step(detection_data(), student_optimizer(model))
    assert all(torch.isfinite(value).all() for value in losses.values())
    policy = policy_of(model)
    logs = augmenter_step(model, detection_data(), policy_optimizer(model, lr=0.1))
    assert all(torch.isfinite(value) for value in logs.values())
    assert not torch.equal(policy, policy_of(model))
