"""The fraction of augmented images over tiny but real runs."""

import json
import math
from pathlib import Path

import pytest
import torch

from tst_mm.engine.schedule import AdaptiveAmountHook
from tst_mm.models.distillers.base import BaseDistiller

from ..toy import toy_config
from .test_alternating_schedule_hook import Killed, assert_same, hook_of, kill_at, outcome

#: 240 images, of which 40 are held out; 10 iterations an epoch, a look every second.
IMAGES, BATCH = 240, 24
LOOKS = {
    'type': 'tst_mm.AdaptiveAmountHook',
    'looks': 15,
    'images': 10,
    'speed': 0.4,
    'target': 0.05,
}
STAGES = {'type': 'tst_mm.AlternatingScheduleHook', 'stages': [], 'search': {'draws': 2}}


def amount_of(runner) -> AdaptiveAmountHook:
    return next(hook for hook in runner.hooks if isinstance(hook, AdaptiveAmountHook))


def adaptive(loop='epoch', length=3, images=IMAGES, repeat=1, hooks=(STAGES, LOOKS), **changes):
    """Changes of the toy run in which the amount is adaptive; a data set without random flips."""
    config = toy_config('', {}, loop=loop, length=length)
    loader, model = config.train_dataloader, config.model
    loader.batch_size = BATCH
    loader.dataset.update(indices=images, pipeline=[{'type': 'mmpretrain.PackInputs'}])
    if repeat > 1:
        loader.dataset = {'type': 'RepeatDataset', 'dataset': loader.dataset, 'times': repeat}
    model.batch_mode = 'adaptive'
    return {
        'loop': loop,
        'length': length,
        'train_dataloader': loader,
        'model': model,
        'custom_hooks': list(hooks),
        **changes,
    }


@pytest.fixture
def shown(monkeypatch):
    """(iteration, bytes of an image) of all that student steps are given."""
    found, original = [], BaseDistiller.train_step

    def train_step(self, data, optim_wrapper):
        step = len({step for step, _ in found})
        found.extend((step, image.numpy().tobytes()) for image in data['inputs'])
        return original(self, data, optim_wrapper)

    monkeypatch.setattr(BaseDistiller, 'train_step', train_step)
    return found


def held_out_bytes(runner):
    """Contents of the images that are held out."""
    dataset = runner.train_loop.dataloader.dataset.dataset
    return {dataset[i]['inputs'].numpy().tobytes() for i in amount_of(runner)._slice.indices}


@pytest.mark.parametrize(
    ('loop', 'length', 'repeat'), [('epoch', 3, 1), ('iter', 30, 1), ('epoch', 2, 2)]
)
def test_the_slice_is_not_trained_on_before_its_release(make_runner, shown, loop, length, repeat):
    runner = make_runner('run', {}, **adaptive(loop, length, repeat=repeat))
    runner.train()
    held = held_out_bytes(runner)
    assert len(held) == 40
    release = int(0.6 * runner.max_iters)
    steps = {step for step, image in shown if image in held}
    assert steps and min(steps) >= release
    # Then it is as any other image; and batches kept their size.
    late = [image in held for step, image in shown if step >= release]
    assert sum(late) / len(late) == pytest.approx(40 / IMAGES, abs=0.08)
    assert len(shown) == runner.max_iters * BATCH


def test_the_fraction_moves_as_planned(make_runner, monkeypatch):
    """Looks at iterations 2, 4, ... 16 of 30, each 1 / 6 of the way, until the release at 18."""
    asked = []

    def imitation_loss(self, data):
        asked.append(len(data['inputs']))
        seen = len(asked) % 2
        return torch.tensor(0.5 if seen and len(asked) > 8 else 1.0)

    monkeypatch.setattr(BaseDistiller, 'imitation_loss', imitation_loss)
    runner = make_runner('run', {}, **adaptive())
    runner.train()
    history = amount_of(runner).history
    assert [entry['iter'] for entry in history] == [2, 4, 6, 8, 10, 12, 14, 16]
    assert asked == [10] * 16
    fractions = [entry['fraction'] for entry in history]
    # Equal losses let it fall; then the student knows seen images better, and it rises.
    assert fractions[:4] == pytest.approx([5 / 6, 4 / 6, 3 / 6, 2 / 6])
    assert fractions[4:] == pytest.approx([3 / 6, 4 / 6, 5 / 6, 1])
    assert runner.model.fraction == fractions[-1]
    # Six looks are four time constants of the running means.
    share = 1 - math.exp(-4 / 6)
    assert history[4]['seen'] == pytest.approx(1 - share / 2) and history[4]['unseen'] == 1
    assert history[4]['gap'] == pytest.approx(share / 2)
    hub = runner.message_hub
    assert hub.get_scalar('amount/fraction').current() == fractions[-1]
    assert json.loads(Path(runner.work_dir, 'policy.json').read_text())['amount'] == history


def test_real_losses_move_it(make_runner):
    """Untrained, the student is as good on unseen images as on seen ones."""
    runner = make_runner('run', {}, **adaptive())
    runner.train()
    history = amount_of(runner).history
    assert all(entry['seen'] > 0 and entry['unseen'] > 0 for entry in history)
    assert len({entry['fraction'] for entry in history}) > 1


def test_a_look_changes_nothing(make_runner, monkeypatch):
    """A run that looks and one that does not, at the same fraction, are one."""
    runners = []
    for name, interval in (('looks', 15), ('never', 1)):
        hook = {**LOOKS, 'looks': interval, 'speed': 1e30}
        runner = make_runner(name, {}, **adaptive(hooks=(STAGES, hook)))
        runner.train()
        runners.append(runner)
    assert [len(amount_of(runner).history) for runner in runners] == [8, 0]
    assert_same(*(runner.model.state_dict() for runner in runners))


@pytest.mark.parametrize(
    ('loop', 'length', 'killed'),
    [('epoch', 3, 13), ('epoch', 3, 24), ('iter', 30, 13), ('iter', 30, 20)],
)
def test_killed_and_resumed_is_as_never_killed(make_runner, monkeypatch, loop, length, killed):
    schedule = {**STAGES, 'stages': [{'begin': 5, 'iters': 2}], 'by_epoch': False}
    changes = adaptive(loop, length, hooks=(schedule, LOOKS))
    changes['default_hooks'] = {
        'checkpoint': {'type': 'CheckpointHook', 'interval': 3, 'by_epoch': False},
        'logger': {'type': 'LoggerHook', 'interval': 2},
    }
    whole = make_runner('whole', {}, **changes)
    whole.train()
    with monkeypatch.context() as patch:
        kill_at(patch, 'train_step', killed)
        with pytest.raises(Killed):
            make_runner('killed', {}, **changes).train()
    resumed = make_runner('killed', {}, **changes, resume=True)
    resumed.train()
    assert_same(outcome(resumed), outcome(whole))
    assert amount_of(resumed).history == amount_of(whole).history
    assert amount_of(resumed).amount.state_dict() == amount_of(whole).amount.state_dict()
    policies = [Path(run.work_dir, 'policy.json').read_text() for run in (whole, resumed)]
    assert policies[0] == policies[1]


def test_the_schedule_brings_it_along(make_runner, caplog):
    runner = make_runner('run', {}, **adaptive(hooks=(STAGES,)), log_level='INFO')
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert amount_of(runner)._slice is not None
    assert '40 of 240 training images are held out until iteration 18' in caplog.text


def test_too_few_images_have_a_fixed_fraction(make_runner, caplog):
    runner = make_runner('run', {}, **adaptive(images=192, length=1))
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert 'fixed at 1.0, as 40 of 192 images are too many to hold out' in caplog.text
    assert runner.model.fraction == 1.0 and amount_of(runner).history == []


def test_mixing_data_sets_have_a_fixed_fraction(make_runner, caplog):
    changes = adaptive(length=1)
    changes['train_dataloader'].dataset = {
        'type': 'ClassBalancedDataset',
        'dataset': changes['train_dataloader'].dataset,
        'oversample_thr': 1e-3,
    }
    runner = make_runner('run', {}, **changes)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert 'fixed at 0.5, as samples of ClassBalancedDataset show several images' in caplog.text
    assert runner.model.fraction == 0.5


@pytest.mark.parametrize('mode', ['split', 0.5])
def test_an_amount_that_is_not_adaptive(make_runner, mode):
    changes = adaptive(length=1)
    changes['model'].batch_mode = mode
    with pytest.raises(ValueError, match=f'batch_mode is {mode!r}; allowed: batch_mode=.adaptive'):
        make_runner('run', {}, **changes).train()


def test_a_model_without_augmenter(make_runner):
    changes = adaptive(length=1, hooks=(LOOKS,))
    changes['model'].augmenter = None
    with pytest.raises(ValueError, match='AdaptiveAmountHook has no effect: .* has no augmenter'):
        make_runner('run', {}, **changes).train()


@pytest.mark.parametrize(
    ('argument', 'value', 'message'),
    [
        ('held_out', 0.3, 'held_out is 0.3; allowed: above 0, at most 0.2'),
        ('release', 0, 'release is 0; allowed: above 0, at most 1'),
        ('speed', True, 'speed is True'),
        ('looks', 0, 'looks is 0; allowed: whole numbers from 1'),
        ('images', 1.5, 'images is 1.5; allowed: whole numbers from 1'),
        ('target', 0, 'target of the amount is 0'),
        ('start', 2, 'start of the amount is 2'),
    ],
)
def test_values_out_of_range(argument, value, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveAmountHook(**{argument: value})


def test_stages_may_use_the_slice_and_leave_the_student_alone(make_runner, shown):
    """They train no student; with an infinite temperature nothing else changes either."""
    results = []
    for name, stages in (('without', []), ('with', [{'begin': 1, 'iters': 3}])):
        search = {'draws': 2, 'temperature': float('inf')}
        schedule = {**STAGES, 'stages': stages, 'search': search}
        runner = make_runner(name, {}, **adaptive(hooks=(schedule, LOOKS)))
        runner.train()
        results.append(runner)
    assert hook_of(results[1]).search.effects().count == 3 * BATCH * 2
    assert_same(*(runner.model.state_dict() for runner in results))


@pytest.mark.parametrize(('images', 'looks'), [(128_000, 33), (1_000, 20), (10**8, 100)])
def test_looks_take_one_percent_of_the_cost(images, looks):
    """2 x 32 images a look, none in the last 40 %."""
    assert AdaptiveAmountHook().affordable_looks(images) == looks
