"""Models from dictionaries, files and installed libraries, without the network."""

from __future__ import annotations

import socket
import subprocess

import pytest
from torch import nn

from tst_mm.models.build import build_model

from .helpers import classifier

CONFIG = """
default_scope = 'mmpretrain'
data_preprocessor = dict(mean=[10.0], std=[20.0])
model = dict(
    type='ImageClassifier',
    backbone=dict(type='LeNet5', num_classes=10),
    head=dict(type='ClsHead', loss=dict(type='CrossEntropyLoss')),
)
"""


@pytest.fixture
def offline(monkeypatch):
    """Any attempt to download or to install is a failure."""

    def refuse(*args, **kwargs):
        pytest.fail(f'nothing may be downloaded: {args}')

    monkeypatch.setattr(socket.socket, 'connect', refuse)
    monkeypatch.setattr(socket, 'getaddrinfo', refuse)
    monkeypatch.setattr(subprocess, 'check_call', refuse)


def test_built_module_is_taken_as_it_is():
    module = nn.Linear(1, 1)
    assert build_model('student', module) is module


def test_dictionary_is_built_and_left_as_it_is():
    config = classifier()
    first, second = build_model('student', config), build_model('student', config)
    assert first is not second
    assert first.head.fc.out_features == 4
    assert config == classifier()


def test_config_of_a_library_with_overrides_and_its_own_preprocessor(offline):
    model = build_model(
        'student',
        {
            'cfg_path': 'mmpretrain::resnet/resnet18_8xb16_cifar10.py',
            'backbone': {'stem_channels': 8, 'base_channels': 8},
            'head': {'in_channels': 64},
        },
    )
    assert type(model).__name__ == 'ImageClassifier'
    assert model.backbone.depth == 18  # from the library's config
    assert model.head.fc.weight.shape == (10, 64)
    # mmpretrain's configs have the normalisation beside the model, not inside.
    assert model.data_preprocessor.mean.flatten().tolist() == pytest.approx(
        [125.307, 122.961, 113.8575]
    )


def test_config_of_a_file(tmp_path, offline):
    path = tmp_path / 'model.py'
    path.write_text(CONFIG)
    model = build_model('teacher', {'cfg_path': str(path)})
    assert type(model.backbone).__name__ == 'LeNet5'
    assert model.data_preprocessor.std.item() == 20
    other = {'cfg_path': str(path), 'data_preprocessor': {'mean': [1.0], 'std': [2.0]}}
    assert build_model('teacher', other).data_preprocessor.std.item() == 2


def test_normalisation_inside_the_model_wins(tmp_path):
    path = tmp_path / 'model.py'
    inside = "    type='ImageClassifier',\n    data_preprocessor=dict(mean=[3.0], std=[4.0]),"
    path.write_text(CONFIG.replace("    type='ImageClassifier',", inside))
    assert build_model('teacher', {'cfg_path': str(path)}).data_preprocessor.std.item() == 4


def test_a_preprocessor_beside_the_student_takes_the_place_of_its_configs(tmp_path):
    """For a teacher it only fills in what its config lacks."""
    path = tmp_path / 'model.py'
    inside = "    type='ImageClassifier',\n    data_preprocessor=dict(mean=[3.0], std=[4.0]),"
    given = {'mean': [1.0], 'std': [2.0]}
    for text in (CONFIG, CONFIG.replace("    type='ImageClassifier',", inside)):
        path.write_text(text)
        config = {'cfg_path': str(path)}
        assert build_model('student', config, given, instead=True).data_preprocessor.std.item() == 2
        own = build_model('teacher', config).data_preprocessor.std.item()
        assert build_model('teacher', config, given).data_preprocessor.std.item() == own
    path.write_text(CONFIG.replace('data_preprocessor', 'unused'))
    assert build_model('teacher', config, given).data_preprocessor.std.item() == 2


def test_missing_file_names_who_and_what():
    with pytest.raises(FileNotFoundError, match=r"student: no config file 'nowhere/model.py'"):
        build_model('student', {'cfg_path': 'nowhere/model.py'})


def test_file_without_a_model(tmp_path):
    path = tmp_path / 'data.py'
    path.write_text('dataset = 1')
    with pytest.raises(KeyError, match=r'teacher: config .*data\.py.* has no "model"'):
        build_model('teacher', {'cfg_path': str(path)})


@pytest.mark.parametrize('config', [None, 3, 'resnet.py', {}, {'checkpoint': 'a.pth'}])
def test_neither_model_nor_path(config):
    with pytest.raises(TypeError, match='student is .*allowed: a model dictionary'):
        build_model('student', config)
