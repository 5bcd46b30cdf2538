"""Runs that go on inside an epoch, owe a validation, or meet samples that cannot be loaded."""

from pathlib import Path

import pytest
import torch

from tst_mm.engine.data.corrupt_samples import CorruptSampleError
from tst_mm.engine.safety import ExactResumeHook
from tst_mm.models.distillers.base import BaseDistiller

from ..test_schedule.test_alternating_schedule_hook import Killed, assert_same, hook_of, outcome
from ..toy import toy_config

NO_STAGES = {'stages': []}


def validation(**changes):
    """Config of a validation on 16 images."""
    loader = toy_config('', NO_STAGES).train_dataloader
    loader.dataset.indices = 16
    loader.sampler = {'type': 'DefaultSampler', 'shuffle': False}
    return {
        'val_dataloader': loader,
        'val_cfg': {},
        'val_evaluator': {'type': 'mmpretrain.Accuracy'},
        **changes,
    }


def plain_kd(config):
    """Distillation without an augmenter or a hook of its own."""
    config.model.pop('augmenter')
    config.model.pop('batch_mode')
    config.custom_hooks = [{'type': 'tst_mm.ExactResumeHook'}]
    return config


def end_of(runner):
    keys = ('train/loss', 'train/lr', 'val/accuracy/top1')
    logged = {name: runner.message_hub.log_scalars.get(name) for name in keys}
    return {
        **runner.model.state_dict(),
        **{name: torch.tensor(log.data[0]) for name, log in logged.items() if log is not None},
    }


def test_a_run_without_augmenter_resumes_exactly(make_runner):
    """Its transforms draw the same numbers, whatever was drawn before."""
    model = plain_kd(toy_config('', NO_STAGES)).model
    changes = {'model': model, 'custom_hooks': [{'type': 'tst_mm.ExactResumeHook'}]}
    whole = make_runner('whole', NO_STAGES, length=3, **changes)
    whole.train()
    make_runner('part', NO_STAGES, length=1, **changes).train()
    torch.rand(7)
    resumed = make_runner('part', NO_STAGES, length=3, resume=True, **changes)
    resumed.train()
    assert_same(end_of(resumed), end_of(whole))


class SaveInside(ExactResumeHook):
    """Saves after a given iteration and kills the run."""

    priority = 'LOWEST'

    def __init__(self, at):
        super().__init__()
        self.at = at

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter + 1 == self.at:
            runner.save_checkpoint(runner.work_dir, 'inside.pth', by_epoch=False)
            raise Killed


@pytest.mark.parametrize('at', [1, 3, 4, 6, 12])
def test_goes_on_inside_an_epoch(make_runner, at):
    """Three epochs of four iterations; at 4 and 12 the epoch is over but for its hooks."""
    stages = {'stages': [{'begin': 0, 'iters': 2}]}
    whole = make_runner('whole', stages, **validation())
    whole.train()
    killed = make_runner('killed', stages, **validation())
    killed.register_hook(SaveInside(at))
    with pytest.raises(Killed):
        killed.train()
    resumed = make_runner(
        'killed', stages, resume=True, load_from=f'{killed.work_dir}/inside.pth', **validation()
    )
    batches = []
    original = resumed.call_hook

    def call_hook(name, **kwargs):
        if name == 'after_train_iter':
            batches.append((resumed.epoch, kwargs['batch_idx']))
        original(name, **kwargs)

    resumed.call_hook = call_hook
    resumed.train()
    assert batches == [divmod(step, 4) for step in range(at, 12)]
    assert_same(outcome(resumed), outcome(whole))
    assert_same(end_of(resumed), end_of(whole))


@pytest.mark.parametrize(('loop', 'length'), [('epoch', 2), ('iter', 8)])
@pytest.mark.parametrize('turn', [1, 2])
def test_validation_that_was_not_finished_is_made_up_for(
    make_runner, monkeypatch, loop, length, turn
):
    """Killed in the first or in the last validation, the latter with nothing left to train."""
    changes = validation(default_hooks=checkpoints(loop))
    if loop == 'iter':
        changes['train_cfg'] = {'by_epoch': False, 'max_iters': 8, 'val_interval': 4}
    whole = make_runner('whole', NO_STAGES, loop=loop, length=length, **changes)
    whole.train()
    with monkeypatch.context() as patch:
        calls = []

        def val_step(self, data):
            calls.append(1)
            if len(calls) == 2 * turn:  # two batches a validation
                raise Killed
            return original(self, data)

        original = BaseDistiller.val_step
        patch.setattr(BaseDistiller, 'val_step', val_step)
        with pytest.raises(Killed):
            make_runner('killed', NO_STAGES, loop=loop, length=length, **changes).train()
    resumed = make_runner('killed', NO_STAGES, loop=loop, length=length, resume=True, **changes)
    resumed.train()
    found, expected = end_of(resumed), end_of(whole)
    # As many validations; where two classes tie, it is chance which of them is ahead by rounding.
    accuracies = 'val/accuracy/top1'
    off = found.pop(accuracies) - expected.pop(accuracies)
    assert off.abs().max() <= 100 / 16
    assert_same(found, expected)
    bests = [
        sorted(path.name for path in Path(run.work_dir).glob('*best*')) for run in (resumed, whole)
    ]
    assert bests[0] == bests[1] != []


def checkpoints(loop):
    """A checkpoint before every validation, and the best one."""
    by_epoch = loop == 'epoch'
    return {
        'checkpoint': {
            'type': 'CheckpointHook',
            'interval': 1 if by_epoch else 4,
            'by_epoch': by_epoch,
            'save_best': 'auto',
        },
        'student': {'type': 'tst_mm.StudentCheckpointHook'},
    }


def test_a_finished_validation_is_not_repeated(make_runner, monkeypatch):
    """The checkpoint of a stage that comes after it says so."""
    hook = {'stages': [{'begin': 1, 'iters': 4}], 'checkpoint_interval': 2}
    killed = make_runner('run', hook, length=2, **validation())
    with monkeypatch.context() as patch:
        original = BaseDistiller.score
        calls = []

        def score(self, *args):
            calls.append(1)
            if len(calls) == 4:
                raise Killed
            return original(self, *args)

        patch.setattr(BaseDistiller, 'score', score)
        with pytest.raises(Killed):
            killed.train()
    resumed = make_runner('run', hook, length=2, resume=True, **validation())
    validations = []
    resumed.val_loop.run = lambda: validations.append(resumed.iter)
    resumed.train()
    assert validations == [8]


class Broken:
    """Wraps a data set of which some samples cannot be loaded."""

    def __init__(self, dataset, broken):
        self.dataset, self.broken = dataset, broken
        self.metainfo = dataset.metainfo

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        if index in self.broken:
            raise OSError('broken data stream')
        return self.dataset[index]

    def get_data_info(self, index):
        return {'img_path': f'images/{index}.png'}


def broken_runner(make_runner, max_corrupt, broken, workers=0):
    runner = make_runner('run', {'stages': [{'begin': 0, 'iters': 2}]}, length=1)
    loader = runner.train_loop.dataloader
    loader.__dict__['dataset'] = Broken(loader.dataset, broken)
    loader.__dict__.update(num_workers=workers, prefetch_factor=2 if workers else None)
    runner.register_hook(ExactResumeHook(max_corrupt=max_corrupt))
    return runner


@pytest.mark.faults
@pytest.mark.parametrize('workers', [0, 2])
def test_a_corrupt_sample_is_named(make_runner, workers):
    runner = broken_runner(make_runner, 0, range(32), workers)
    message = r'cannot load sample \d+ \(images/\d+.png\): OSError: broken data stream'
    with pytest.raises(CorruptSampleError, match=message):
        runner.train()


@pytest.mark.faults
@pytest.mark.parametrize('workers', [0, 2])
def test_corrupt_samples_are_left_out_and_counted(make_runner, workers):
    """At most three are loaded: by the student, and by the stage before it."""
    runner = broken_runner(make_runner, 3, {5}, workers)
    runner.train()
    assert runner.iter == 4
    stopped = broken_runner(make_runner, 3, {5, 6, 7, 8}, workers)
    with pytest.raises(CorruptSampleError, match=r'number \d+ of its kind, allowed: max_corrupt=3'):
        stopped.train()


@pytest.mark.faults
@pytest.mark.parametrize('value', [-1, 1.5, True, '3'])
def test_mistakes(value):
    with pytest.raises(ValueError, match='max_corrupt is .*; allowed: whole numbers from 0'):
        ExactResumeHook(max_corrupt=value)


def test_comes_along_once(make_runner):
    runner = make_runner('run', NO_STAGES, length=1)
    runner.train()
    assert sum(isinstance(hook, ExactResumeHook) for hook in runner.hooks) == 1
    assert hook_of(runner) is not None
