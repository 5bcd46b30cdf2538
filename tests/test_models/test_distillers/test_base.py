"""What of a distiller is where, in which precision, and from which config."""

from __future__ import annotations

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn

from tst_mm.registry import MODELS

from ..helpers import (
    OTHER_NORMALISATION,
    assert_same,
    batch,
    classifier,
    distiller,
    noisy_distiller,
    normalisation,
    policy_of,
    snapshot,
    student_optimizer,
)


def test_teacher_stays_evaluating_and_frozen():
    model = noisy_distiller()
    for mode in (False, True):
        model.train(mode)
        model.requires_grad_(True)
        assert not any(module.training for module in model.teacher.model.modules())
        assert not any(p.requires_grad for p in model.teacher.model.parameters())


def test_initialising_the_model_does_not_initialise_the_teacher():
    """The runner does so after building, when the teacher's checkpoint is long loaded."""
    model = distiller()
    teacher, weight = snapshot(model.teacher.model), model.student.head.fc.weight.detach().clone()
    model.init_weights()
    assert_same(model.teacher.model, teacher)
    assert not torch.equal(model.student.head.fc.weight, weight)


# What is where ----------------------------------------------------------------------------------


def test_state_dict_is_the_student():
    model = distiller()
    state = model.state_dict()
    assert {key.split('.')[0] for key in state} == {'student'}
    plain = MODELS.build(classifier())
    plain.load_state_dict({k.removeprefix('student.'): v for k, v in state.items()}, strict=True)
    other = distiller()
    other.load_state_dict(state, strict=True)
    assert torch.equal(other.student.head.fc.weight, model.student.head.fc.weight)


def test_teacher_and_augmenter_are_outside_of_the_tree():
    model = distiller()
    inside = {id(module) for module in model.modules()} | {id(p) for p in model.parameters()}
    inside |= {id(buffer) for buffer in model.buffers()}
    for outsider in (model.teacher.model, model.augmenter):
        parts = (*outsider.modules(), *outsider.parameters(), *outsider.buffers())
        assert not inside & {id(part) for part in parts}


def test_moving_average_copies_the_student_only():
    model = distiller()
    average = ExponentialMovingAverage(model, momentum=0.5)
    assert average.module.teacher is model.teacher
    assert average.module.augmenter is model.augmenter
    keys = {key.removeprefix('module.') for key in average.state_dict()} - {'steps'}
    assert keys == set(model.state_dict())
    teacher, policy = snapshot(model.teacher.model), policy_of(model)
    model.train_step(batch(), student_optimizer(model))
    average.update_parameters(model)
    model.train_step(batch(), student_optimizer(model))
    average.update_parameters(model)
    weight = average.module.student.head.fc.weight
    assert not torch.equal(weight, model.student.head.fc.weight)
    assert_same(model.teacher.model, teacher)
    assert torch.equal(policy_of(model), policy)
    average.eval()
    assert model.student.training
    assert average.module.val_step(batch())[0].pred_score.shape == (4,)


@pytest.mark.parametrize('mode', ['tensor', 'predict'])
def test_other_modes_are_the_students(mode, monkeypatch):
    model = distiller().eval()
    monkeypatch.setattr(model.augmenter, 'forward', None)
    monkeypatch.setattr(model.teacher.model, 'forward', None)
    data = model.data_preprocessor(batch(), False)
    ours = model(data['inputs'], data['data_samples'], mode=mode)
    students = model.student(data['inputs'], data['data_samples'], mode=mode)
    if mode == 'tensor':
        assert torch.equal(ours, students)
    else:
        for one, other in zip(ours, students, strict=True):
            assert torch.equal(one.pred_score, other.pred_score)
        scores = [sample.pred_score for sample in model.val_step(batch())]
        assert torch.equal(torch.stack(scores), torch.stack([s.pred_score for s in students]))


def test_plain_distillation_has_no_augmenter():
    model = distiller(augmenter=None)
    assert model.augmenter is None
    losses = model.train_step(batch(), student_optimizer(model))
    assert all(losses[key].isfinite() for key in ('loss', 'loss_kd'))
    with pytest.raises(AssertionError, match='no policy to search'):
        model.score(batch())


# Precision --------------------------------------------------------------------------------------


def test_mixed_precision_on_the_processor():
    model = distiller()
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.train_step(batch(), student_optimizer(model))
    assert all(value.isfinite() for value in losses.values())
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_everything_follows_a_move_to_another_dtype(dtype):
    teacher = {
        'model': classifier(width=12, preprocessor=OTHER_NORMALISATION),
        'checkpoint': 'random',
    }
    model = distiller(teacher=teacher).to(dtype)
    assert {p.dtype for p in model.teacher.model.parameters()} == {dtype}
    assert {p.dtype for p in model.augmenter.policy.parameters()} == {torch.float32}
    inputs, samples = torch.randn(4, 3, 32, 32).to(dtype), batch(4)['data_samples']
    losses = model(inputs, samples, mode='loss')
    assert losses['loss_kd'].dtype == dtype
    assert losses['loss_kd'].isfinite()


# The config -------------------------------------------------------------------------------------


def test_wrong_batch_mode():
    message = "batch_mode is 'duoble'; did you mean 'double'"
    with pytest.raises(ValueError, match=message):
        distiller(batch_mode='duoble')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'batchmode': 'split'}, 'batchmode'),
        ({'augmenter': {'num_op': 3}}, 'num_op'),
    ],
)
def test_unknown_keys(options, message):
    with pytest.raises(KeyError, match=message):
        distiller(**options)


def test_student_and_teacher_take_the_preprocessor_beside_the_model():
    """Mmpretrain's configs have it there, and MMEngine's runner puts it into the model."""
    student, teacher = classifier(), classifier(preprocessor=OTHER_NORMALISATION)
    del student['data_preprocessor']
    beside = normalisation([1.0, 2.0, 3.0])
    model = distiller(student, {'model': teacher, 'checkpoint': 'random'}, data_preprocessor=beside)
    assert model.data_preprocessor is model.student.data_preprocessor
    assert model.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]
    assert model.augmenter.normalization.mean.flatten().tolist() == [1, 2, 3]
    assert model.teacher.normalization.mean.flatten().tolist() == [127.5] * 3


def test_the_preprocessor_beside_the_model_counts_beside_a_path_too():
    path = {'cfg_path': 'mmpretrain::resnet/resnet18_8xb16_cifar10.py'}
    beside = normalisation([10.0], [20.0], to_rgb=False)
    model = distiller(path, {**path, 'checkpoint': 'random'}, data_preprocessor=beside)
    data = {'inputs': [torch.full((3, 8, 8), 50, dtype=torch.uint8)]}
    seen = model.data_preprocessor(data, True)['inputs']
    torch.testing.assert_close(seen, torch.full((1, 3, 8, 8), 2.0))  # (50 - 10) / 20


def test_built_student_is_taken_as_it_is():
    student = MODELS.build(classifier())
    assert isinstance(student, nn.Module)
    assert distiller(student).student is student
