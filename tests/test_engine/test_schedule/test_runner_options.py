"""MMEngine's own options with a distiller: EMA, torch.compile, auto_scale_lr."""

import pytest
import torch

from ..test_safety.test_exact_resume_hook import end_of, validation
from .test_alternating_schedule_hook import assert_same, outcome

STAGES = {'stages': [{'begin': 1, 'iters': 2}]}
EMA = {'type': 'EMAHook', 'momentum': 0.5}


def train(make_runner, name, *hooks, **changes):
    runner = make_runner(name, STAGES, **changes)
    for hook in hooks:
        runner.register_hook(dict(hook))
    runner.train()
    return runner


def test_ema_holds_the_student_only_and_validates_it(make_runner, monkeypatch):
    runner = make_runner('run', STAGES, length=2, **validation())
    runner.register_hook(dict(EMA))
    seen = []
    original = type(runner.model).val_step

    def val_step(self, data):
        seen.append(self.student.backbone.conv1.weight.clone())
        return original(self, data)

    monkeypatch.setattr(type(runner.model), 'val_step', val_step)
    runner.train()
    ema = next(hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook')
    average = ema.ema_model.module
    assert torch.equal(seen[-1], average.student.backbone.conv1.weight)
    assert not torch.equal(seen[-1], runner.model.student.backbone.conv1.weight)
    # The copy shares what never changes, or is not the student's.
    assert average.teacher is runner.model.teacher
    assert average.augmenter is runner.model.augmenter


def test_ema_does_not_see_the_stages_and_resumes_exactly(make_runner):
    whole = train(make_runner, 'whole', EMA, length=3, **validation())
    train(make_runner, 'part', EMA, length=2, **validation())
    resumed = train(make_runner, 'part', EMA, length=3, resume=True, **validation())
    assert_same(outcome(resumed), outcome(whole))
    assert_same(end_of(resumed), end_of(whole))
    averages = [
        next(hook for hook in run.hooks if type(hook).__name__ == 'EMAHook').ema_model.state_dict()
        for run in (resumed, whole)
    ]
    assert_same(*averages)


def test_compiled_steps_are_the_same(make_runner):
    """With the backend that compiles nothing: what is seen is whether torch can trace the step."""
    plain = train(make_runner, 'plain', length=2)
    compiled = make_runner('compiled', STAGES, length=2)
    compiled.cfg.compile = {'backend': 'eager'}
    compiled.train()
    assert_same(outcome(compiled), outcome(plain))


@pytest.mark.parametrize('mode', ['split', 'double'])
def test_auto_scale_lr_counts_loaded_images(make_runner, mode):
    """8 images are loaded a step, however many the augmenter makes of them."""
    runner = make_runner(
        'run', STAGES, length=2, auto_scale_lr={'enable': True, 'base_batch_size': 32}
    )
    runner.model.batch_mode = mode
    runner.train()
    assert runner.optim_wrapper.get_lr()['lr'] == [0.05 * 8 / 32]
