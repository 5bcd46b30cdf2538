"""distill: one call, a trained student."""

import json
from copy import deepcopy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from test_engine.toy import STUDENT, toy_config

from tst_mm.apis import distill


@pytest.fixture
def plain(tmp_path):
    """The config file of a plain training of four epochs."""
    config = toy_config('', {'stages': []}, length=4)
    for key in ('work_dir', 'custom_hooks'):
        config.pop(key)
    config.model = STUDENT
    config.default_hooks.pop('student')
    config.dump(tmp_path / 'plain.py')
    return tmp_path / 'plain.py'


TEACHER = {'model': deepcopy(STUDENT), 'checkpoint': 'random'}


def test_in_one_call(plain, tmp_path):
    result = distill(plain, TEACHER, work_dir=tmp_path / 'run')
    assert result.work_dir == tmp_path / 'run'
    policy = json.loads(result.policy.read_text())
    assert policy['provenance']['stages'] == [[begin, 1] for begin in (1, 4, 8, 11, 14)]
    assert len(policy['history']) > 1 and policy['history'][-1]['rates'] != [0.5] * 14
    assert result.report.is_file()
    # The student in memory is the one on disk, and an ordinary model.
    saved = torch.load(tmp_path / 'run' / 'student_epoch_4.pth', weights_only=True)['state_dict']
    ordinary = MODELS.build(deepcopy(STUDENT))
    ordinary.load_state_dict(saved)
    assert type(result.student) is type(ordinary)
    for key, value in result.student.state_dict().items():
        assert torch.equal(value, saved[key]), key


def test_other_data_stages_and_options(plain, tmp_path):
    loader = deepcopy(Config.fromfile(plain).train_dataloader)
    loader.dataset.indices = 16
    result = distill(
        Config.fromfile(plain),
        TEACHER,
        data={'train_dataloader': loader},
        augmenter={'num_ops': 2},
        stages=[{'begin': 1, 'iters': 3}],
        work_dir=tmp_path / 'run',
        seed=5,
        options={'train_cfg.max_epochs': 2},
    )
    policy = json.loads(result.policy.read_text())
    assert policy['augmenter']['num_ops'] == 2
    origin = policy['provenance']
    assert (origin['seed'], origin['max_iters'], origin['stages']) == (5, 4, [[2, 3]])


def test_plain_distillation(plain, tmp_path):
    result = distill(plain, TEACHER, augmenter=None, work_dir=tmp_path / 'run')
    assert result.policy is None and not (tmp_path / 'run' / 'policy.json').exists()
    assert (tmp_path / 'run' / 'student_epoch_4.pth').is_file()

    # Not a second time into the same folder, unless it goes on there.
    again = {'augmenter': None, 'work_dir': tmp_path / 'run'}
    with pytest.raises(ValueError, match=r'holds a finished run, at iteration (\d+) of \1 '):
        distill(plain, TEACHER, **again)
    distill(plain, TEACHER, options={'train_cfg.max_epochs': 5}, resume=True, **again)
    saved = torch.load(tmp_path / 'run' / 'epoch_5.pth', weights_only=False)
    assert saved['meta']['epoch'] == 5


@pytest.mark.parametrize(
    ('changes', 'error', 'words'),
    [
        ({'student': 'none.py'}, FileNotFoundError, ["student: no config file 'none.py'"]),
        ({'teacher': {'model': STUDENT}}, KeyError, ['checkpoint']),
        ({'data': {'train_dataloder': {}}}, KeyError, ["did you mean 'train_dataloader'"]),
        ({'data': {'val_dataloader': {}}}, KeyError, ['data needs "train_dataloader"']),
        ({'augmenter': {'num_op': 3}}, KeyError, ["'num_op'", "did you mean 'num_ops'"]),
        ({'augmenter': None, 'stages': []}, ValueError, ['without an augmenter']),
        ({'batch_mode': 'doubel'}, ValueError, ["did you mean 'double'"]),
        ({'student': Config({'model': {'student': {}}})}, ValueError, ['default_scope is None']),
        (
            {'student': Config({'default_scope': 'mmdet', 'model': {'student': {}}})},
            KeyError,
            ['plain training'],
        ),
    ],
)
def test_mistakes(plain, tmp_path, changes, error, words):
    arguments = {'student': plain, 'teacher': TEACHER, 'work_dir': tmp_path / 'run', **changes}
    with pytest.raises(error) as caught:
        distill(**arguments)
    assert all(word in str(caught.value) for word in words), caught.value
