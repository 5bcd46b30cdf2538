"""The published search over real mmseg encoder-decoders."""

import math

import pytest
import torch
from mmengine.optim import OptimWrapper
from test_models.dense import segmentation_data, segmentor
from test_models.helpers import assert_same, policy_of, policy_optimizer, snapshot

from tst_mm.augment import move_maps

from .helpers import augmenter_step, dense_distiller


def student_optimizer(model):
    return OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9))


def test_one_step():
    model = dense_distiller('SegmentationDistiller', segmentor(), segmentor(width=48))
    before, teacher = snapshot(model), snapshot(model.teacher.model)
    policy = policy_of(model)
    logs = augmenter_step(model, segmentation_data(), policy_optimizer(model, lr=1.0))
    assert all(torch.isfinite(value) for value in logs.values())
    assert not torch.equal(policy, policy_of(model))
    assert_same(model, before)
    assert_same(model.teacher.model, teacher)


def test_terms_of_equal_networks_agree_with_the_closed_form():
    """A uniform network: loss log C a pixel, flip -log(1 - 1/C), aux head at its weight 0.4.

    The reference averages the flip over classes too, which makes it C times too small.
    """
    classes = 5
    model = dense_distiller('SegmentationDistiller', segmentor(classes))
    for net in (model.student, model.teacher.model):
        for head in (net.decode_head, net.auxiliary_head):
            torch.nn.init.zeros_(head.conv_seg.weight)
            torch.nn.init.zeros_(head.conv_seg.bias)
    data = segmentation_data(classes)
    for sample in data['data_samples']:  # no ignored pixels, and none that come from outside
        sample.gt_sem_seg.data[:] = 1
    for logit in model.augmenter.policy.parameters():
        logit.data.fill_(-20)  # nothing acts
    logs = augmenter_step(model, data, policy_optimizer(model, lr=0.0))
    assert math.isclose(logs['loss_teacher'], 1.4 * math.log(classes), rel_tol=1e-5)
    assert math.isclose(logs['loss_student'], -1.4 * math.log(1 - 1 / classes), rel_tol=1e-4)
    assert math.isclose(logs['teacher_confidence'], 1 / classes, rel_tol=1e-5)


def test_labels_cannot_follow_overlaid_copies():
    augmenter = dict(type='tst_mm.PaperAugmenter', preset='paper')
    with pytest.raises(ValueError, match="composition 'residual'.*'summed'.*paper_dense"):
        dense_distiller('SegmentationDistiller', segmentor(), augmenter=augmenter)


def test_the_papers_preset_on_label_maps():
    """Relaxed gates in both steps; the label map follows the very map that moved the image."""
    model = dense_distiller(
        'SegmentationDistiller',
        segmentor(),
        augmenter=dict(type='tst_mm.PaperAugmenter', preset='paper_dense', num_ops=14),
        objective=dict(type='tst_mm.FlippedObjective', preset='paper'),
    )
    losses = model.train_step(segmentation_data(), student_optimizer(model))
    assert all(torch.isfinite(value).all() for value in losses.values())
    policy = policy_of(model)
    augmenter_step(model, segmentation_data(), policy_optimizer(model, lr=1.0))
    assert not torch.equal(policy, policy_of(model))
    data = model.data_preprocessor(segmentation_data(), True)
    samples = data['data_samples']
    _, draw = model.augmenter(data['inputs'], model.valid_sizes(data['inputs'], samples))
    assert draw.moved_images == tuple(range(len(samples)))
    moved = model.move_labels(samples, draw)
    maps = torch.cat([sample.gt_sem_seg.data for sample in samples])
    expected = move_maps(maps, draw.matrix, draw.extents, 255)
    assert torch.equal(torch.cat([sample.gt_sem_seg.data for sample in moved]), expected)
    assert not torch.equal(maps, expected)


def test_a_loss_without_a_flip_is_named():
    config = segmentor()
    config.decode_head.loss_decode = dict(type='DiceLoss')
    with pytest.raises(TypeError, match="'decode_head.loss_decode' is a DiceLoss, which has no"):
        dense_distiller('SegmentationDistiller', config)
