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


def test_head_without_a_linear_layer_is_refused():
    student = classifier()
    student['head'] = {'type': 'mmpretrain.ClsHead'}
    message = 'student: ImageClassifier with head ClsHead has no linear layer.*LinearClsHead'
    with pytest.raises(ValueError, match=message):
        distiller(student)
    del student['head']
    with pytest.raises(ValueError, match='student: ImageClassifier with head NoneType'):
        distiller(student)


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
