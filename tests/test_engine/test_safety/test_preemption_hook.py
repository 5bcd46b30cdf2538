"""SIGTERM and Ctrl-C: saved, ended with its exit code, resumed as if nothing had been."""

import os
import signal
from pathlib import Path

import pytest
import torch

from tst_mm.engine.safety import PreemptionHook
from tst_mm.models.distillers.base import BaseDistiller

from ..test_schedule.test_alternating_schedule_hook import assert_same, outcome
from .test_exact_resume_hook import end_of, validation

STAGES = {'stages': [{'begin': 1, 'iters': 6}]}


def terminate_at(monkeypatch, method, count, number=signal.SIGTERM):
    """Send the process a signal in the ``count``-th call of a method, counted from 1."""
    original, calls = getattr(BaseDistiller, method), []

    def counted(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == count:
            os.kill(os.getpid(), number)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(BaseDistiller, method, counted)


def train(runner):
    runner.register_hook(PreemptionHook())
    runner.train()
    return runner


@pytest.mark.parametrize(
    ('loop', 'length', 'method', 'count', 'saved'),
    [
        ('epoch', 3, 'train_step', 6, (1, 6)),
        ('epoch', 3, 'score', 3, (1, 4)),
        ('epoch', 3, 'score', 6, (1, 4)),  # the last of the stage
        ('epoch', 3, 'val_step', 2, (1, 4)),  # after the validation, in the stage
        ('iter', 12, 'train_step', 6, (0, 6)),
        ('iter', 12, 'score', 3, (0, 1)),
    ],
)
def test_saves_exits_and_resumes(make_runner, monkeypatch, loop, length, method, count, saved):
    make = dict(loop=loop, length=length, **(validation() if loop == 'epoch' else {}))
    whole = train(make_runner('whole', STAGES, **make))
    handler = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        terminate_at(patch, method, count)
        with pytest.raises(SystemExit) as exit_:
            train(make_runner('run', STAGES, **make))
    assert exit_.value.code == 143
    signal.signal(signal.SIGTERM, handler)

    runner = make_runner('run', STAGES, resume=True, **make)
    folder = Path(runner.work_dir)
    assert (folder / 'last_checkpoint').read_text() == str(folder / 'interrupted.pth')
    assert (folder / 'student_interrupted.pth').exists()
    meta = torch.load(folder / 'interrupted.pth', weights_only=False)['meta']
    assert (meta['epoch'], meta['iter']) == saved
    train(runner)
    assert_same(outcome(runner), outcome(whole))
    assert_same(end_of(runner), end_of(whole))
    assert not list(folder.glob('*interrupted*'))
    assert signal.getsignal(signal.SIGTERM) is handler


def test_waits_for_the_step_of_the_optimiser(make_runner, monkeypatch):
    """With gradient accumulation a gradient in between would be lost."""
    wrapper = {'optimizer': {'type': 'SGD', 'lr': 0.05}, 'accumulative_counts': 3}
    make = dict(loop='iter', length=9, optim_wrapper=wrapper)
    whole = make_runner('whole', {'stages': []}, **make)
    whole.train()
    handler = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        terminate_at(patch, 'train_step', 4)
        with pytest.raises(SystemExit):
            train(make_runner('run', {'stages': []}, **make))
    signal.signal(signal.SIGTERM, handler)
    resumed = make_runner('run', {'stages': []}, resume=True, **make)
    saved = torch.load(Path(resumed.work_dir, 'interrupted.pth'), weights_only=False)
    assert saved['meta']['iter'] == 6
    train(resumed)
    assert_same(resumed.model.state_dict(), whole.model.state_dict())


def test_ctrl_c_saves_and_exits(make_runner, monkeypatch, capfd):
    runner = make_runner('run', STAGES)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patch:
            terminate_at(patch, 'train_step', 6, signal.SIGINT)
            # An interrupt that the hook lets through is a failure, not the end of all tests.
            with pytest.raises((SystemExit, KeyboardInterrupt)) as exit_:
                train(runner)
        assert exit_.type is SystemExit
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert exit_.value.code == 130
    said = capfd.readouterr()
    assert 'once more stops at once' in said.out + said.err
    saved = torch.load(Path(runner.work_dir, 'interrupted.pth'), weights_only=False)['meta']
    assert saved['iter'] == 6


def test_a_second_ctrl_c_stops_at_once(make_runner, monkeypatch):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patch:
            terminate_at(patch, 'train_step', 2, signal.SIGINT)
            terminate_at(patch, 'train_step', 2, signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                train(make_runner('run', STAGES))
    finally:
        signal.signal(signal.SIGINT, before)


def test_background_jobs_stay_deaf(make_runner, monkeypatch):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with monkeypatch.context() as patch:
            terminate_at(patch, 'train_step', 2, signal.SIGINT)
            assert train(make_runner('run', STAGES, length=2)).iter == 8
    finally:
        signal.signal(signal.SIGINT, before)


def test_mistakes():
    with pytest.raises(ValueError, match='interval is 0; allowed: whole numbers from 1'):
        PreemptionHook(interval=0)
