"""The student taken out of a checkpoint."""

import numpy as np
import pytest
import torch
from mmengine.config import Config

from tst_mm.engine.safety.student_weights import student_checkpoint, student_config


@pytest.mark.parametrize('prefix', ['student.', 'architecture.'])
def test_only_the_student(prefix):
    weights = {
        f'{prefix}head.fc.weight': torch.ones(2),
        'distiller.connector.weight': torch.ones(1),
    }
    weights['teacher.head.fc.weight'] = torch.zeros(2)
    found = student_checkpoint({'state_dict': weights, 'meta': {'epoch': 3}, 'optimizer': {}})
    assert found.keys() == {'state_dict', 'meta'}
    assert list(found['state_dict']) == ['head.fc.weight']
    assert found['meta'] == {'epoch': 3}


def test_meta_is_plain(tmp_path):
    meta = {
        'dataset_meta': {'classes': ('a', 'b'), 'palette': np.zeros((2, 3), np.uint8)},
        'seed': np.int64(3),
        'hook': object(),
    }
    path = tmp_path / 'student.pth'
    torch.save(student_checkpoint({'state_dict': {'student.a': torch.ones(1)}, 'meta': meta}), path)
    found = torch.load(path, weights_only=True)['meta']
    assert found == {
        'dataset_meta': {'classes': ('a', 'b'), 'palette': [[0, 0, 0], [0, 0, 0]]},
        'seed': 3,
    }


@pytest.mark.faults
def test_no_student():
    weights = {'state_dict': {'backbone.a': 1, 'head.b': 2}}
    with pytest.raises(ValueError, match='begin with backbone, head; allowed: student., arch'):
        student_checkpoint(weights)


def test_config_is_that_of_the_student():
    config = Config(
        {
            'model': {
                'type': 'tst_mm.ClassificationDistiller',
                'student': {'type': 'mmpretrain.ImageClassifier', 'head': {'num_classes': 3}},
                'teacher': {'cfg_path': 'a.py'},
            },
            'default_hooks': {
                'logger': {'type': 'LoggerHook'},
                'student': {'type': 'tst_mm.StudentCheckpointHook'},
            },
            'custom_hooks': [{'type': 'tst_mm.AlternatingScheduleHook'}, {'type': 'EMAHook'}],
            'val_cfg': {},
        }
    )
    found = Config.fromstring(student_config(config), '.py')
    assert found.model == config.model.student
    assert found.default_hooks == {'logger': {'type': 'LoggerHook'}}
    assert found.custom_hooks == [{'type': 'EMAHook'}]
    assert found.val_cfg == {}
    assert student_config(Config({'model': {'student': {'cfg_path': 'mmdet::a.py'}}})) is None
    assert student_config(Config({'model': {'type': 'ImageClassifier'}})) is None


def test_config_in_pure_python(tmp_path):
    """Its classes are written as text that MMEngine builds from."""
    path = tmp_path / 'pure.py'
    path.write_text(
        'from mmengine.config import read_base\n'
        'from mmengine.hooks import EMAHook\n'
        'from mmpretrain.models import ImageClassifier, VGG\n'
        'from tst_mm.engine.hooks import NonFiniteHook\n'
        'with read_base():\n'
        '    from .other import *\n'
        "model = dict(type='tst_mm.TSTClassificationDistiller',\n"
        '    student=dict(type=ImageClassifier, backbone=dict(type=VGG, depth=11)))\n'
        'custom_hooks = [dict(type=NonFiniteHook), dict(type=EMAHook)]\n'
    )
    (tmp_path / 'other.py').write_text('work_dir = None\n')
    found = Config.fromstring(student_config(Config.fromfile(path)), '.py')
    assert found.model['type'].endswith('ImageClassifier')
    assert found.model['backbone']['type'].endswith('VGG')
    assert [hook['type'].rsplit('.')[-1] for hook in found.custom_hooks] == ['EMAHook']
