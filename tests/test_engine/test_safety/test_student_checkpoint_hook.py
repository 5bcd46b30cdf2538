"""Student files beside the checkpoints of tiny but real runs."""

import os
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS

from ..toy import STUDENT

NO_STAGES = {'stages': []}


def names(runner, pattern='*.pth'):
    return sorted(path.name for path in Path(runner.work_dir).glob(pattern))


def checkpoint_hook(**changes):
    return {
        'checkpoint': {'type': 'CheckpointHook', 'interval': 1, **changes},
        'student': {'type': 'tst_mm.StudentCheckpointHook'},
    }


def load(runner, name):
    return torch.load(Path(runner.work_dir, name), weights_only=True)


def test_loads_in_plain_mmpretrain(make_runner):
    runner = make_runner('run', NO_STAGES, length=1)
    runner.train()
    model = MODELS.build(deepcopy(STUDENT))
    found = load(runner, 'student_epoch_1.pth')
    model.load_state_dict(found['state_dict'], strict=True)
    for key, value in runner.model.student.state_dict().items():
        assert torch.equal(model.state_dict()[key], value)
    assert found['meta']['dataset_meta']['classes'][0] == 'T-shirt/top'
    assert found['meta']['epoch'] == 1
    assert "type='mmpretrain.ImageClassifier'" in found['meta']['cfg'].replace(' ', '')


def test_goes_with_its_checkpoint(make_runner):
    hooks = checkpoint_hook(max_keep_ckpts=2)
    make_runner('run', NO_STAGES, length=3, default_hooks=hooks).train()
    runner = make_runner('run', NO_STAGES, length=5, default_hooks=hooks, resume=True)
    Path(runner.work_dir, 'student_of_mine.pth').write_bytes(b'')
    runner.train()
    assert names(runner) == [
        'epoch_4.pth',
        'epoch_5.pth',
        'student_epoch_4.pth',
        'student_epoch_5.pth',
        'student_of_mine.pth',
    ]


def test_best_checkpoint(make_runner):
    loader = make_runner('loader', NO_STAGES).cfg.train_dataloader
    runner = make_runner(
        'run',
        NO_STAGES,
        length=2,
        default_hooks=checkpoint_hook(save_best='auto'),
        val_dataloader=loader,
        val_cfg={},
        val_evaluator={'type': 'mmpretrain.Accuracy'},
    )
    runner.train()
    [best] = names(runner, 'best*.pth')
    found = load(runner, f'student_{best}')['state_dict']
    assert found.keys() == runner.model.student.state_dict().keys()


def test_averages_of_ema(make_runner):
    runner = make_runner('run', NO_STAGES, length=2)
    runner.register_hook({'type': 'EMAHook', 'momentum': 0.5})
    runner.train()
    ema = next(hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook')
    found = load(runner, 'student_epoch_2.pth')['state_dict']['backbone.conv1.weight']
    assert torch.equal(found, ema.ema_model.module.student.backbone.conv1.weight)
    assert not torch.equal(found, runner.model.student.backbone.conv1.weight)
    keys = torch.load(Path(runner.work_dir, 'epoch_2.pth'), weights_only=False)['ema_state_dict']
    assert all(key == 'steps' or key.startswith('module.student.') for key in keys)


def test_plain_model(make_runner):
    """Without a student the checkpoint itself is plain."""
    runner = make_runner('run', NO_STAGES, length=1, model=deepcopy(STUDENT), custom_hooks=[])
    runner.train()
    assert names(runner) == ['epoch_1.pth']


@pytest.mark.faults
def test_a_full_disk_leaves_the_last_good_checkpoint(make_runner, monkeypatch):
    runner = make_runner('run', NO_STAGES, length=3)
    original = os.fsync

    def fsync(descriptor):
        if 'epoch_2' in os.readlink(f'/proc/self/fd/{descriptor}'):
            raise OSError(28, 'No space left on device')
        original(descriptor)

    monkeypatch.setattr('os.fsync', fsync)
    with pytest.raises(OSError, match='No space left'):
        runner.train()
    assert names(runner) == ['epoch_1.pth', 'student_epoch_1.pth']
    assert not names(runner, '.*.tmp')
    assert Path(runner.work_dir, 'last_checkpoint').read_text().endswith('epoch_1.pth')
    resumed = make_runner('run', NO_STAGES, length=3, resume=True)
    monkeypatch.undo()
    resumed.train()
    assert resumed.epoch == 3
