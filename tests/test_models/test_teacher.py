"""The frozen teacher: loud loading, evaluation, its own normalisation."""

from __future__ import annotations

import copy
import logging

import pytest
import torch
from mmengine.logging import MMLogger
from torch import nn

from tst_mm.augment import Normalization
from tst_mm.models import FrozenTeacher
from tst_mm.registry import MODELS

from .helpers import (
    CLASSES,
    MEAN,
    STD,
    assert_same,
    batch,
    classifier,
    noisy_classifier,
    normalisation,
    snapshot,
    vision_transformer,
)


@pytest.fixture
def trained():
    """A teacher's network with weights and statistics of its own."""
    model = MODELS.build(classifier())
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 1)
    return model


@pytest.fixture
def checkpoint(trained, tmp_path):
    path = tmp_path / 'teacher.pth'
    torch.save({'meta': {'epoch': 3}, 'state_dict': trained.state_dict()}, path)
    return str(path)


@pytest.fixture
def log():
    """What is logged about the teacher."""
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append((record.levelname, record.getMessage()))
    handler.addFilter(lambda record: record.getMessage().startswith('teacher'))
    logger = MMLogger.get_instance('teacher')
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


def teacher_of(checkpoint, model=None, **options):
    return FrozenTeacher({'model': model or classifier(), 'checkpoint': checkpoint, **options})


def save(weights, path):
    torch.save(weights, path)
    return str(path)


# Loading ----------------------------------------------------------------------------------------


def test_loads_everything_and_says_how_much(trained, checkpoint, log):
    teacher = teacher_of(checkpoint)
    for name, tensor in trained.state_dict().items():
        assert torch.equal(teacher.model.state_dict()[name], tensor), name
    count = len(trained.state_dict())
    assert log == [('INFO', f'teacher: {count} of {count} tensors loaded from {checkpoint}')]


def test_weights_alone_and_weights_of_a_distributed_run(trained, tmp_path):
    weights = trained.state_dict()
    wrapped = {f'module.{key}': value for key, value in weights.items()}
    for content in (weights, {'state_dict': wrapped}):
        teacher = teacher_of(save(content, tmp_path / 'weights.pth'))
        assert torch.equal(teacher.model.head.fc.weight, trained.head.fc.weight)


def test_checkpoint_without_counters_of_batch_norm(trained, tmp_path):
    weights = {k: v for k, v in trained.state_dict().items() if 'num_batches' not in k}
    teacher = teacher_of(save(weights, tmp_path / 'old.pth'))
    assert torch.equal(teacher.model.backbone.bn1.running_var, trained.backbone.bn1.running_var)


def test_random_weights_warn(log):
    teacher_of('random')
    assert log == [('WARNING', 'teacher: random weights, as "checkpoint" says')]


def drop(weights):
    del weights['head.fc.bias']


def add(weights):
    weights['head.extra'] = torch.zeros(1)


def reshape(weights):
    weights['head.fc.weight'] = torch.zeros(7, 16)


FAULTS = {
    'missing': (drop, r'1 missing \(head\.fc\.bias\)'),
    'unexpected': (add, r'1 unexpected \(head\.extra\)'),
    'misshapen': (reshape, r'1 of another shape \(head\.fc\.weight \(7, 16\) for \(4, 16\)\)'),
}


@pytest.mark.faults
@pytest.mark.parametrize('fault', FAULTS)
def test_what_does_not_fit_is_refused(trained, tmp_path, fault):
    change, message = FAULTS[fault]
    weights = trained.state_dict()
    change(weights)
    path = save(weights, tmp_path / 'teacher.pth')
    with pytest.raises(ValueError, match=f'^teacher: .*{message}.*allow_partial=True') as info:
        teacher_of(path)
    assert '\n' not in str(info.value)


@pytest.mark.faults
@pytest.mark.parametrize('fault', FAULTS)
def test_allow_partial_loads_the_rest_and_warns(trained, tmp_path, fault, log):
    weights = trained.state_dict()
    FAULTS[fault][0](weights)
    path = save(weights, tmp_path / 'teacher.pth')
    teacher = teacher_of(path, allow_partial=True)
    assert torch.equal(teacher.model.backbone.conv1.weight, trained.backbone.conv1.weight)
    (level, message), *others = log
    assert level == 'WARNING'
    assert f' 1 {fault if fault != "misshapen" else "of another shape"} (' in message
    assert not others


@pytest.mark.faults
@pytest.mark.parametrize('content', [{'model': {'fc': 1}}, {'state_dict': {}}, {'meta': {}}])
def test_checkpoint_of_something_else_is_refused_even_partially(tmp_path, content):
    path = save(content, tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r'teacher: 0 of \d+ tensors loaded'):
        teacher_of(path, allow_partial=True)


@pytest.mark.faults
def test_checkpoint_of_a_whole_distiller_is_refused(trained, tmp_path):
    weights = {f'student.{key}': value for key, value in trained.state_dict().items()}
    with pytest.raises(ValueError, match=r'unexpected \(student\.'):
        teacher_of(save(weights, tmp_path / 'distiller.pth'))


@pytest.mark.faults
def test_missing_checkpoint():
    with pytest.raises(FileNotFoundError, match=r"^teacher: no checkpoint 'nowhere.pth'$"):
        teacher_of('nowhere.pth')


# The config entry -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ({}, 'either "cfg_path" or "model"'),
        ({'checkpoint': 'random'}, 'either "cfg_path" or "model"'),
        ({'cfg_path': 'a.py', 'model': {}, 'checkpoint': 'random'}, 'either "cfg_path" or "model"'),
        ({'model': {}}, 'teacher needs "checkpoint"'),
        ({'model': {}, 'checkpoint': None}, 'teacher needs "checkpoint"'),
        ({'model': {}, 'checkpont': 'a'}, "no key 'checkpont'; did you mean 'checkpoint'"),
    ],
)
def test_wrong_entries(config, message):
    with pytest.raises(KeyError, match=message):
        FrozenTeacher(config)


def test_config_of_a_library():
    path = 'mmpretrain::resnet/resnet18_8xb16_cifar10.py'
    teacher = FrozenTeacher({'cfg_path': path, 'checkpoint': 'random'})
    assert teacher.model.head.fc.out_features == 10
    assert teacher.normalization.mean.flatten().tolist() == pytest.approx(
        [125.307, 122.961, 113.8575]
    )
    assert teacher.normalization.channel_order == 'bgr'  # as that config is, without to_rgb


# Frozen -----------------------------------------------------------------------------------------


def test_evaluates_without_gradients():
    teacher = teacher_of('random', noisy_classifier())
    assert not any(module.training for module in teacher.model.modules())
    assert not any(p.requires_grad for p in teacher.model.parameters())


@pytest.mark.parametrize('make', [noisy_classifier, lambda: vision_transformer(drop=0.5)])
def test_losses_reach_the_image_and_change_nothing(make):
    teacher = teacher_of('random', make())
    before, samples = snapshot(teacher.model), batch(4)['data_samples']
    images = torch.randn(4, 3, 32, 32, requires_grad=True)
    state = torch.get_rng_state()
    loss = teacher.losses(images, samples)['loss']
    assert torch.equal(teacher.losses(images, samples)['loss'], loss)
    loss.backward()
    assert images.grad.abs().sum() > 0
    assert torch.equal(torch.get_rng_state(), state)
    assert_same(teacher.model, before)


def test_copies_share_it():
    teacher = teacher_of('random')
    assert copy.deepcopy({'model': teacher})['model'] is teacher


def test_follows_a_move_to_another_dtype():
    teacher = teacher_of('random')
    holder = nn.Linear(1, 1)
    holder._apply = lambda fn, recurse=True: teacher.apply_(fn)
    holder.double()
    assert {p.dtype for p in teacher.model.parameters()} == {torch.float64}
    assert {b.dtype for b in teacher.model.buffers()} == {torch.float64, torch.int64}


# Normalisation ----------------------------------------------------------------------------------


def inputs_of(preprocessor):
    """The same images as a network with this preprocessor sees them."""
    return MODELS.build(preprocessor)(batch(2), training=True)['inputs']


@pytest.mark.parametrize('order', [True, False])
@pytest.mark.parametrize(
    ('mean', 'std'), [(MEAN, STD), ([127.5] * 3, [127.5] * 3), ([10, 20, 30], [1, 2, 3])]
)
def test_images_are_those_of_its_own_preprocessor(mean, std, order):
    theirs = normalisation(mean, std, order)
    teacher = teacher_of('random', classifier(preprocessor=theirs))
    own = normalisation()
    student = Normalization.from_data_preprocessor(MODELS.build(own))
    converted = teacher.inputs(inputs_of(own), student)
    torch.testing.assert_close(converted, inputs_of(theirs), rtol=1e-5, atol=1e-4)


def test_same_normalisation_is_no_copy():
    teacher = teacher_of('random')
    inputs = torch.randn(2, 3, 8, 8)
    student = Normalization.from_data_preprocessor(MODELS.build(normalisation()))
    assert teacher.inputs(inputs, student) is inputs
    teacher.apply_(lambda tensor: tensor.bfloat16() if tensor.is_floating_point() else tensor)
    other = Normalization.from_data_preprocessor(MODELS.build(normalisation()))
    assert teacher.inputs(inputs, other) is inputs  # half precision does not make it another one


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_conversion_keeps_the_dtype_and_the_precision(dtype):
    theirs = normalisation([127.5] * 3, [127.5] * 3)
    teacher = teacher_of('random', classifier(preprocessor=theirs))
    teacher.apply_(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)
    student = Normalization.from_data_preprocessor(MODELS.build(normalisation()))
    converted = teacher.inputs(inputs_of(normalisation()).to(dtype), student)
    assert converted.dtype == dtype
    # One rounding of the input, in units of std, and one of the output.
    error = (converted.double() - inputs_of(theirs).double()).abs().max()
    assert error < 3 * max(torch.finfo(dtype).eps, 1e-6)
    assert teacher.model(converted).shape == (2, CLASSES)


def test_grey_images_have_no_channel_order():
    grey = {'type': 'mmpretrain.ClsDataPreprocessor', 'mean': [10.0], 'std': [5.0]}
    config = classifier(preprocessor={**grey, 'to_rgb': True}, in_channels=1)
    teacher = teacher_of('random', config)
    student = Normalization.from_data_preprocessor(MODELS.build({**grey, 'std': [10.0]}))
    images = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(teacher.inputs(images, student), images * 2)


def test_copies_of_layers_in_a_checkpoint_are_no_fault(trained, tmp_path):
    """As in DDQ-DETR's, whose decoder is given layers of the head when it trains."""
    weights = trained.state_dict()
    shared = {f'decoder.{key[5:]}': value.clone() for key, value in weights.items() if 'fc' in key}
    teacher_of(save({**weights, **shared}, tmp_path / 'shared.pth'))
    shared['decoder.fc.weight'] += 1
    with pytest.raises(ValueError, match=r'1 unexpected \(decoder\.fc\.weight\)'):
        teacher_of(save({**weights, **shared}, tmp_path / 'other.pth'))


def test_a_teacher_of_other_labels_is_read_by_the_students_head():
    binary = classifier(loss={'type': 'mmpretrain.CrossEntropyLoss', 'use_sigmoid': True})
    teacher = teacher_of('random', binary)
    data = batch()
    inputs = MODELS.build(normalisation())(data, True)['inputs']
    with pytest.raises(ValueError, match='teacher: ImageClassifier cannot compute its losses'):
        teacher.losses(inputs, data['data_samples'])
    teacher.reader = MODELS.build(classifier()).head
    (loss,) = teacher.losses(inputs, data['data_samples']).values()
    expected = nn.functional.cross_entropy(teacher.model(inputs), torch.arange(6) % CLASSES)
    torch.testing.assert_close(loss, expected)
