"""Losses and gradients that are no numbers: named, kept for a look, left out or the end."""

from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from tst_mm.engine.safety import NonFiniteHook
from tst_mm.engine.safety.step_guard import StepGuard
from tst_mm.models.distillers.base import BaseDistiller

from ..test_schedule.test_alternating_schedule_hook import hook_of

STAGES = {'stages': [{'begin': 1, 'iters': 3}]}


def poison(monkeypatch, step, value=float('nan')):
    """Spoil one input pixel at a step: a pair of method and its call, counted from 1."""
    method, count = step
    original, calls = getattr(BaseDistiller, method), []

    def spoiled(self, data, *args, **kwargs):
        calls.append(1)
        if len(calls) == count:
            data = {**data, 'inputs': data['inputs'].float()}
            data['inputs'][-1, 0, 0, 0] = value  # an image that stays clean
        return original(self, data, *args, **kwargs)

    monkeypatch.setattr(BaseDistiller, method, spoiled)


def weights(runner):
    return {k: v.clone() for k, v in runner.model.state_dict().items()}


@pytest.mark.faults
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_stops_at_the_first(make_runner, monkeypatch, value):
    poison(monkeypatch, ('train_step', 6), value)
    runner = make_runner('run', STAGES)
    runner.register_hook(NonFiniteHook())
    message = (
        r'no number in step iter_5: .*loss = nan.*gradient of .*; images: .*What helps most often: '
        r'optim_wrapper.clip_grad=dict\(max_norm=35\); a warm-up .*LinearLR.*; a smaller learning '
        r'rate \(optim_wrapper.optimizer.lr=0.005, now 0.05\); a smaller loss_weight of loss_kd '
        r'.*max_skips \(now 0'
    )
    with pytest.raises(FloatingPointError, match=message):
        runner.train()
    # The last checkpoint, of epoch 1, is good; the evidence is complete.
    saved = torch.load(Path(runner.work_dir, 'epoch_1.pth'), weights_only=False)['state_dict']
    assert all(value.isfinite().all() for value in saved.values())
    evidence = torch.load(Path(runner.work_dir, 'nonfinite_iter_5.pth'), weights_only=True)
    assert evidence['losses']['loss'] != evidence['losses']['loss']
    assert len(evidence['files']) == 8
    assert len(evidence['draw']['images']) == 4  # in split mode, half of the batch
    parameters = dict(runner.model.named_parameters())
    assert all(evidence['state_dict'][name].isfinite().all() for name in parameters)


@pytest.mark.faults
def test_a_step_left_out_changes_nothing(make_runner, monkeypatch):
    poison(monkeypatch, ('train_step', 6))
    runner = make_runner('run', STAGES)
    hook = NonFiniteHook(max_skips=1)
    runner.register_hook(hook)
    before = []

    class Watch(Hook):
        priority = 'LOWEST'

        def before_train_iter(self, runner, *args, **kwargs):
            before.append(weights(runner))

    runner.register_hook(Watch())
    runner.train()
    assert hook.skips == 1
    same = [
        all(torch.equal(a[key], b[key]) for key in a)
        for a, b in zip(before, [*before[1:], weights(runner)], strict=True)
    ]
    assert same == [step == 5 for step in range(12)]
    assert all(value.isfinite().all() for value in weights(runner).values())


@pytest.mark.faults
def test_too_many(make_runner, monkeypatch):
    for count in (2, 4, 6):
        poison(monkeypatch, ('train_step', count))
    runner = make_runner('run', STAGES)
    runner.register_hook(NonFiniteHook(max_skips=2))
    with pytest.raises(FloatingPointError, match='no number in step iter_5'):
        runner.train()


@pytest.mark.faults
def test_the_policy_stays_good(make_runner, monkeypatch):
    """A stage that measures leaves the draws of a broken image out, and goes on."""
    poison(monkeypatch, ('score', 2))
    runner = make_runner('run', STAGES)
    hook = NonFiniteHook()
    runner.register_hook(hook)
    runner.train()
    assert hook.skips == 0
    # Where an operator took the broken pixel away, the draw is as good as any.
    assert (3 * 8 - 1) * 4 <= hook_of(runner).search.effects().count < 3 * 8 * 4
    values = hook_of(runner).policy.state_dict().values()
    assert all(value.isfinite().all() for value in values)


def test_only_what_is_not_there_is_proposed(make_runner, monkeypatch):
    poison(monkeypatch, ('train_step', 6))
    wrapper = {'optimizer': {'type': 'SGD', 'lr': 0.05}, 'clip_grad': {'max_norm': 1.0}}
    warm_up = {'type': 'LinearLR', 'start_factor': 0.5, 'by_epoch': False, 'end': 2}
    runner = make_runner('run', STAGES, optim_wrapper=wrapper, param_scheduler=[warm_up])
    runner.register_hook(NonFiniteHook())
    with pytest.raises(FloatingPointError) as error:
        runner.train()
    helps = str(error.value).partition('What helps most often: ')[2]
    assert helps.startswith('a smaller learning rate (optim_wrapper.optimizer.lr=0.005, now 0.05)')


@pytest.mark.parametrize('exact', [False, True])
@pytest.mark.parametrize('optimizer', [torch.optim.SGD, torch.optim.AdamW])
def test_steps_are_decided_on_the_device(exact, optimizer, monkeypatch):
    """Nothing is read back while an optimiser steps."""
    layer = torch.nn.Linear(3, 2)
    more = {'momentum': 0.9} if optimizer is torch.optim.SGD else {}
    optimizer = optimizer(layer.parameters(), lr=0.1, weight_decay=0.1, **more)
    guard = StepGuard(optimizer, layer, exact)

    def step(value):
        for parameter in layer.parameters():
            parameter.grad = torch.ones_like(parameter)
        layer.bias.grad[0] = value
        with monkeypatch.context() as patch:
            for name in ('__bool__', 'item', 'tolist', '__float__', '__int__'):
                patch.setattr(torch.Tensor, name, None)
            if isinstance(optimizer, torch.optim.AdamW):  # torch reads the count of steps
                patch.undo()
            optimizer.step()
        return guard.take()

    names, finite = step(1.0)
    assert finite.tolist() == [True, True]
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    momentum = [v.clone() for s in optimizer.state.values() for v in s.values()]
    names, finite = step(float('nan'))
    assert dict(zip(names, finite.tolist(), strict=True)) == {'weight': True, 'bias': False}
    assert all(value.isfinite().all() for value in layer.parameters())
    after = [v for s in optimizer.state.values() for v in s.values()]
    kept = all(torch.equal(before[name], value) for name, value in layer.state_dict().items())
    kept &= all(torch.equal(*pair) for pair in zip(momentum, after, strict=True))
    assert kept == exact
    assert guard.take()[1] is None
    guard.remove()
    step(float('nan'))
    assert not layer.bias.isfinite().all()


@pytest.mark.faults
def test_a_loss_scaler_keeps_its_infinite_gradients(make_runner):
    """They are how it finds its scale."""
    runner = make_runner('run', STAGES, length=1)
    hook = NonFiniteHook()
    runner.register_hook(hook)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.optim_wrapper.loss_scaler = object()
    runner.optim_wrapper.step = lambda **kwargs: None
    for parameter in runner.model.parameters():
        parameter.grad = torch.full_like(parameter, float('inf'))
    hook.before_train(runner)
    runner.optim_wrapper.step()
    hook.after_train_iter(runner, 0, None, {'loss': torch.tensor(1.0)})
    assert hook.skips == 0


def test_mistakes():
    with pytest.raises(ValueError, match='max_skips is -1; allowed: whole numbers from 0'):
        NonFiniteHook(max_skips=-1)
