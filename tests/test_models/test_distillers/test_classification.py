"""The classification distiller, from its checks to what it is for."""

from __future__ import annotations

import pytest

from ..helpers import (
    batch,
    classifier,
    distiller,
    student_optimizer,
    vision_transformer,
)

# The pair ---------------------------------------------------------------------------------------


def test_other_classes_are_refused():
    teacher = {'model': classifier(classes=7), 'checkpoint': 'random'}
    with pytest.raises(ValueError, match=r'^teacher has 7 classes, student 4; allowed: the same'):
        distiller(teacher=teacher)


def test_logits_are_found_where_the_network_gives_them():
    """A head without a layer gives what the neck gives; without a head there is nothing."""
    bare = classifier(classes=16)
    bare['head'] = {'type': 'mmpretrain.ClsHead'}
    model = distiller(bare, {'model': classifier(classes=16), 'checkpoint': 'random'})
    assert model.distiller.student_recorders.recorders['kd'].source == 'neck'
    assert model.distiller.teacher_recorders.recorders['kd'].source == 'head.fc'
    del bare['head']
    with pytest.raises(ValueError, match='student: ImageClassifier with head NoneType gives no'):
        distiller(bare)


def test_networks_of_different_kinds():
    """A transformer teaches a convolutional network; the logits have other names in each."""
    model = distiller(teacher={'model': vision_transformer(), 'checkpoint': 'random'})
    losses = model.train_step(batch(), student_optimizer(model, lr=0.01))
    assert all(value.isfinite() for value in losses.values())


def test_config_of_a_library_on_both_sides():
    path = 'mmpretrain::resnet/resnet18_8xb16_cifar10.py'
    narrow = {'backbone': {'stem_channels': 8, 'base_channels': 8}, 'head': {'in_channels': 64}}
    model = distiller({'cfg_path': path, **narrow}, {'cfg_path': path, 'checkpoint': 'random'})
    losses = model.train_step(batch(2), student_optimizer(model, lr=0.01))
    assert all(value.isfinite() for value in losses.values())
