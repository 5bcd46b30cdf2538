"""Labels that no class has."""

from types import SimpleNamespace

import pytest
import torch

from tst_mm.engine.data.corrupt_samples import CorruptSampleError
from tst_mm.engine.data.label_check import LabelCheck
from tst_mm.engine.safety import ExactResumeHook

from ..toy import toy_config


def sample(**labels):
    names = {'gt_label': None, 'gt_instances': None, 'gt_sem_seg': None}
    return {'inputs': torch.zeros(1), 'data_samples': SimpleNamespace(**{**names, **labels})}


def labels(*values):
    return torch.tensor(values)


def boxes(*values):
    return {'gt_instances': SimpleNamespace(labels=labels(*values))}


def label_map(*values):
    return {'gt_sem_seg': SimpleNamespace(data=labels(*values).view(1, 1, -1))}


@pytest.mark.parametrize(
    'given',
    [
        {'gt_label': labels(0, 2)},
        boxes(0, 2),
        boxes(),
        {**boxes(1), **label_map(90)},  # a semantic map beside boxes has classes of its own
        label_map(0, 1, 2, 255, -1),
        {'gt_label': torch.tensor([0.5, 7.0])},
        {},
    ],
)
def test_good_labels_pass(given):
    LabelCheck(3, frozenset({255, -1}))(sample(**given))


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({'gt_label': labels(3)}, 'label 3 is outside of the 3 classes; allowed: 0 to 2. Change'),
        ({'gt_label': labels(-1)}, 'label -1 is'),
        (boxes(0, 4, 3), 'label 3, 4 is'),
        (label_map(0, 3, 255), r'label 3 is outside.*0 to 2, and 255 \(ignored\)'),
    ],
)
def test_others_are_named(given, words):
    with pytest.raises(ValueError, match=words):
        LabelCheck(3)(sample(**given))


def test_one_class_has_two_values_in_a_map():
    LabelCheck(1)(sample(**label_map(0, 1)))
    with pytest.raises(ValueError, match='label 1 is'):
        LabelCheck(1)(sample(**boxes(1)))


def test_anything_else_passes():
    for other in (None, 3, [1], {'img': 2}, {'data_samples': None}):
        LabelCheck(3)(other)


def test_classes_and_ignored_values_are_the_students():
    class Head(torch.nn.Module):
        ignore_index = 7

    student = torch.nn.Sequential(Head())
    model = SimpleNamespace(student=student, confidence_loss=lambda network: (None, 4))
    assert LabelCheck.of(model) == LabelCheck(4, frozenset({255, 7}))
    assert LabelCheck.of(torch.nn.Linear(1, 1)) is None


@pytest.mark.faults
@pytest.mark.parametrize('workers', [0, 2])
def test_a_run_names_image_and_label(make_runner, workers):
    model = toy_config('', {'stages': []}).model
    for network in (model.student, model.teacher.model):
        network.head.num_classes = 7
        network.data_preprocessor.num_classes = 7
    runner = make_runner('run', {'stages': []}, length=1, model=model)
    runner.train_loop.dataloader.__dict__.update(
        num_workers=workers, prefetch_factor=2 if workers else None
    )
    message = r'cannot load sample \d+.*: ValueError: label \d is outside of the 7 classes'
    with pytest.raises(CorruptSampleError, match=message):
        runner.train()
    assert runner.iter == 0
    patient = make_runner('patient', {'stages': []}, length=1, model=model)
    patient.register_hook(ExactResumeHook(max_corrupt=99))
    patient.train()
    assert patient.iter == 4
