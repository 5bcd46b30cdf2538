"""The alternating schedule on tiny but real runs."""

import json
import math
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import IterTimerHook

from tst_mm.engine.schedule import AlternatingScheduleHook
from tst_mm.models.distillers.base import BaseDistiller

EPOCH_STAGES = {'stages': [{'begin': 1, 'iters': 6}, {'begin': 2, 'length': 1}]}
INNER_STAGES = {'stages': [{'begin': 6, 'length': 5}], 'by_epoch': False}
ITER_STAGES = {'stages': [{'begin': 3, 'length': 6}, {'begin': 5, 'length': 3}]}


class Killed(BaseException):
    """A run that ends without any chance to save."""


def hook_of(runner) -> AlternatingScheduleHook:
    return next(hook for hook in runner.hooks if isinstance(hook, AlternatingScheduleHook))


def outcome(runner):
    """All that a resumed run must have in common with one that was never killed."""
    hook = hook_of(runner)
    search = hook.search.state_dict()
    return {
        **{f'model.{k}': v for k, v in runner.model.state_dict().items()},
        **{f'policy.{k}': v for k, v in hook.policy.state_dict().items()},
        **{f'evidence.{k}': v for k, v in search['sums'].items()},
        **{f'scales.{k}': v for k, v in search['scales'].items()},
        **{
            f'momentum.{i}': state['momentum_buffer']
            for i, state in runner.optim_wrapper.optimizer.state_dict()['state'].items()
        },
        **{
            f'log.{name}': torch.tensor(np.asarray(runner.message_hub.get_scalar(name).data[0]))
            for name in ('train/loss', 'train/lr', 'augmenter/loss', 'augmenter/rate/Rotate')
        },
    }


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    assert [key for key in expected if not torch.equal(found[key], expected[key])] == []


def kill_at(monkeypatch, method, count):
    """Kill the run in the ``count``-th call of a method of the model, counted from 1."""
    original, calls = getattr(BaseDistiller, method), []

    def counted(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == count:
            raise Killed
        return original(self, *args, **kwargs)

    monkeypatch.setattr(BaseDistiller, method, counted)


@pytest.mark.parametrize(
    ('loop', 'length', 'stages', 'method', 'count'),
    [
        ('epoch', 3, EPOCH_STAGES, 'score', 5),  # in the first stage
        ('epoch', 3, EPOCH_STAGES, 'score', 10),  # in the second
        ('epoch', 3, EPOCH_STAGES, 'train_step', 7),  # in an epoch
        ('epoch', 3, INNER_STAGES, 'score', 4),  # in a stage in an epoch
        ('iter', 7, ITER_STAGES, 'score', 6),
        ('iter', 7, ITER_STAGES, 'score', 8),
        ('iter', 7, ITER_STAGES, 'train_step', 5),  # between the stages
        ('iter', 7, ITER_STAGES, 'train_step', 7),
    ],
)
def test_killed_and_resumed_is_as_never_killed(
    make_runner, monkeypatch, loop, length, stages, method, count
):
    hook = {**stages, 'interval': 4, 'checkpoint_interval': 2}
    whole = make_runner('whole', hook, loop=loop, length=length)
    whole.train()

    with monkeypatch.context() as patch:
        kill_at(patch, method, count)
        with pytest.raises(Killed):
            make_runner('killed', hook, loop=loop, length=length).train()
    np.random.seed(1)
    resumed = make_runner('killed', hook, loop=loop, length=length, resume=True)
    resumed.train()

    assert resumed.iter == whole.iter
    assert_same(outcome(resumed), outcome(whole))
    policies = [Path(run.work_dir, 'policy.json').read_text() for run in (whole, resumed)]
    assert policies[0] == policies[1]


@pytest.mark.parametrize('loop', ['epoch', 'iter'])
def test_stages_take_nothing_from_the_student(make_runner, monkeypatch, loop):
    """At an infinite temperature the policy stays, and the student does not see the stages."""
    search = {'temperature': math.inf}
    results = []
    for name, stages in {'without': [], 'with': [{'begin': 1, 'iters': 3}]}.items():
        runner = make_runner(name, {'stages': stages, 'search': search}, loop=loop, length=2)
        runner.train()
        results.append(runner)
    without, with_stage = (runner.model.state_dict() for runner in results)
    assert_same(with_stage, without)
    assert hook_of(results[1]).search.effects().count == 3 * 8 * 4


def test_stage_leaves_the_student_and_moves_the_policy(make_runner, monkeypatch):
    # A stage this short knows little.
    monkeypatch.setattr(import_module('tst_mm.search.tilt'), 'KNOWN', 0.1)
    runner = make_runner('run', {'stages': [{'begin': 1, 'iters': 4}]}, length=2)
    original, seen = AlternatingScheduleHook.run_stage, []

    def run_stage(self, runner):
        def snapshot():
            policy = torch.cat([p.detach().clone() for p in self.policy.parameters()])
            flags = [(m.training, [p.requires_grad for p in m.parameters()]) for m in model]
            return {k: v.clone() for k, v in runner.model.state_dict().items()}, flags, policy

        model = list(runner.model.modules())
        before = snapshot()
        original(self, runner)
        seen.append((before, snapshot(), (runner.epoch, runner.iter)))

    monkeypatch.setattr(AlternatingScheduleHook, 'run_stage', run_stage)
    runner.train()
    [(before, after, position)] = seen
    assert position == (1, 4)
    assert_same(after[0], before[0])
    assert after[1] == before[1]
    assert not torch.equal(after[2], before[2])
    # Between the stages the policy stands still, weight decay and momentum or not.
    final = torch.cat([p.detach() for p in hook_of(runner).policy.parameters()])
    assert torch.equal(final, after[2])


def test_what_is_logged(make_runner):
    runner = make_runner('run', {'stages': [{'begin': 0, 'iters': 5}]}, length=1)
    runner.train()
    policy = json.loads(Path(runner.work_dir, 'policy.json').read_text())
    assert [(entry['stage'], entry['step']) for entry in policy['history']] == [
        (0, 2),
        (0, 4),
        (0, 5),
    ]
    last = policy['history'][-1]
    assert {'iter', 'loss', 'loss_teacher', 'loss_student', 'effects', 'slope_errors'} < last.keys()
    assert 'lr' not in last and 'effects' not in policy['history'][0]
    assert last['effects'] == [entry['effect'] for entry in policy['operators']]
    rates = [entry['rate'] for entry in policy['operators']]
    assert last['rates'] == rates
    assert len(last['magnitudes']) == 14
    assert policy['provenance']['stages'] == [[0, 5]]
    assert policy['start']['rates'] == pytest.approx([0.8] * 12 + [0.1] * 2)
    hub = runner.message_hub
    assert hub.get_scalar('augmenter/loss').current() == last['loss']
    assert hub.get_scalar('augmenter/rate/Rotate').current() == rates[10]
    assert 'augmenter/magnitude/Rotate' in hub.log_scalars
    assert 'augmenter/magnitude/Invert' not in hub.log_scalars


def test_a_run_that_takes_over_a_policy_starts_from_it(make_runner):
    first = make_runner('first', {'stages': [{'begin': 0, 'iters': 5}]}, length=1)
    first.train()
    load = str(Path(first.work_dir, 'epoch_1.pth'))
    second = make_runner('second', {'stages': []}, length=1, load_from=load)
    second.train()
    policies = [
        json.loads(Path(run.work_dir, 'policy.json').read_text()) for run in (first, second)
    ]
    rates = [entry['rate'] for entry in policies[0]['operators']]
    assert policies[1]['start']['rates'] == rates != [0.5] * 14


def test_log_line(make_runner, caplog):
    runner = make_runner('run', {'stages': [{'begin': 0, 'iters': 12}]}, length=1, log_level='INFO')
    runner.logger.addHandler(caplog.handler)
    runner.train()
    lines = [line for line in caplog.messages if line.startswith('Augmenter stage')]
    assert lines[0].startswith('Augmenter stage 1/1 [ 2/12]  eta: 0:00:0')
    assert all(f'  {name}: ' in lines[0] for name in ('time', 'loss', 'loss_student'))
    assert f'ended, {12 * 8 * 4} draws, spread ' in lines[-1]
    assert 'known effects on the objective, small is good: ' in lines[-1]


def test_timer_does_not_count_the_stage(make_runner, monkeypatch):
    runner = make_runner('run', {'stages': [{'begin': 1, 'iters': 1}]}, loop='iter', length=3)
    now = [0.0]
    monkeypatch.setattr('time.time', lambda: now[0])
    original = BaseDistiller.score

    def slow(self, *args):
        now[0] += 1000.0
        return original(self, *args)

    monkeypatch.setattr(BaseDistiller, 'score', slow)
    runner.train()
    assert runner.message_hub.get_scalar('train/time').max() < 1000
    assert any(isinstance(hook, IterTimerHook) for hook in runner.hooks)


@pytest.mark.parametrize(
    ('loop', 'hook', 'expected'),
    [
        # 4 iterations an epoch, 3 epochs or 12 iterations.
        ('epoch', {'stages': [{'begin': 1, 'length': 2}]}, [(4, 8)]),
        ('epoch', {'stages': [{'begin': 5, 'length': 2}], 'by_epoch': False}, [(5, 2)]),
        ('iter', {'stages': [{'begin': 5, 'length': 2}]}, [(5, 2)]),
        ('iter', {'stages': [{'begin': 1, 'length': 2}], 'by_epoch': True}, [(4, 8)]),
        ('iter', {'stages': {'first': 2, 'every': 4, 'iters': 1}}, [(2, 1), (6, 1), (10, 1)]),
        ('epoch', {'stages': []}, []),
    ],
)
def test_units(make_runner, loop, hook, expected):
    runner = make_runner('run', hook, loop=loop, length=3 if loop == 'epoch' else 12)
    runner.model.train_step = lambda *args, **kwargs: {}
    runner.train()
    schedule = [(stage.begin, stage.length) for stage in hook_of(runner).schedule]
    assert schedule == expected
    assert hook_of(runner).stage == len(expected)


def test_own_loader(make_runner):
    """Another data set for the stages; its epochs are its own."""
    loader = {
        'batch_size': 5,
        'num_workers': 0,
        'collate_fn': {'type': 'default_collate'},
        'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        'dataset': {
            'type': 'tst_mm.EmbeddedFashionMNIST',
            'split': 'test',
            'indices': 10,
            'pipeline': [{'type': 'mmpretrain.PackInputs'}],
        },
    }
    runner = make_runner(
        'run', {'stages': [{'begin': 0, 'length': 3}], 'dataloader': loader}, length=1
    )
    runner.train()
    assert [(stage.begin, stage.length) for stage in hook_of(runner).schedule] == [(0, 6)]


@pytest.mark.faults
def test_resume_from_another_schedule(make_runner):
    make_runner('run', {'stages': [{'begin': 1, 'iters': 2}]}, length=2).train()

    def resume(stages, **changes):
        runner = make_runner('run', {'stages': stages}, length=4, **{'resume': True, **changes})
        runner.train()
        return runner

    for stages in ([], [{'begin': 1, 'iters': 3}], [{'begin': 0, 'iters': 1}]):
        with pytest.raises(ValueError, match='cannot resume.*load_from instead of resume'):
            resume(stages)
    # What has not begun may change.
    runner = resume([{'begin': 1, 'iters': 2}, {'begin': 3, 'iters': 3}])
    assert [entry['stage'] for entry in hook_of(runner).log.history] == [0, 1, 1]
    # The documented choice: weights and policy, another schedule.
    checkpoint = runner.work_dir + '/epoch_4.pth'
    fresh = resume([], resume=False, load_from=checkpoint)
    policies = [hook_of(r).policy.state_dict() for r in (runner, fresh)]
    assert_same(*policies)
    assert fresh.iter == 16


@pytest.mark.faults
def test_resume_from_a_checkpoint_without_our_part(make_runner, caplog):
    runner = make_runner('run', {'stages': []}, length=2)
    runner.train()
    path = runner.work_dir + '/epoch_2.pth'
    checkpoint = torch.load(path, weights_only=False)
    del checkpoint['tst_mm']
    torch.save(checkpoint, path)
    stages = [{'begin': 1, 'iters': 2}, {'begin': 2, 'iters': 1}]
    resumed = make_runner('run', {'stages': stages, 'interval': 1}, length=3, resume=True)
    resumed.logger.addHandler(caplog.handler)
    resumed.train()
    assert 'the policy starts anew, and 1 stage(s) that begin before iteration 8' in caplog.text
    assert [entry['stage'] for entry in hook_of(resumed).log.history] == [1]


def test_our_part_of_a_checkpoint_is_plain(make_runner, tmp_path):
    hook = {'stages': [{'begin': 0, 'iters': 3}], 'checkpoint_interval': 2}
    runner = make_runner('run', hook, length=1)
    runner.train()
    checkpoint = torch.load(runner.work_dir + '/augmenter_stage1_iter3.pth', weights_only=False)
    path = tmp_path / 'part.pth'
    torch.save(checkpoint['tst_mm'], path)
    part = torch.load(path, weights_only=True)
    assert part['stage'] == 1 and part['running'] is None
    assert not any('teacher' in key or 'augmenter' in key for key in checkpoint['state_dict'])


def test_only_the_latest_augmenter_checkpoint_is_kept(make_runner):
    hook = {'stages': [{'begin': 0, 'iters': 5}], 'checkpoint_interval': 2}
    runner = make_runner('run', hook, length=1)
    runner.train()
    names = sorted(path.name for path in Path(runner.work_dir).glob('*augmenter*'))
    assert names == ['augmenter_stage1_iter5.pth', 'student_augmenter_stage1_iter5.pth']
    assert Path(runner.work_dir, 'last_checkpoint').read_text().endswith('epoch_1.pth')
