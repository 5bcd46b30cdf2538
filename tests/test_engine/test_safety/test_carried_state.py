"""Attributes that a run carries from step to step."""

import math
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.registry import MODELS
from mmpretrain.models import ClsDataPreprocessor
from torch import nn

from tst_mm.engine.safety.carried_state import CarriedState, what_is_not_exact

from ..test_schedule.test_alternating_schedule_hook import Killed, assert_same, kill_at, outcome
from ..toy import toy_config
from .test_exact_resume_hook import SaveInside


@MODELS.register_module()
class Dimming(nn.Module):
    """Multiplies images by a number that it draws for the next batch, as mmdet draws sizes."""

    def __init__(self):
        super().__init__()
        self.rank = 7  # differs between processes, and never changes
        self.factor = None

    def forward(self, inputs, data_samples):
        inputs = inputs * (self.factor or 1.0)
        self.factor = 0.5 + float(torch.rand(()))
        return inputs, data_samples


@MODELS.register_module()
class DimmingPreprocessor(ClsDataPreprocessor):
    """mmpretrain's, with such a batch augment."""

    def __init__(self, **config):
        super().__init__(**config)
        self.batch_augments = Dimming()

    def forward(self, data, training=False):
        """Mmpretrain's own calls them for soft labels only, mmdet's for all."""
        data = super().forward(data, training)
        if training:
            data['inputs'], _ = self.batch_augments(data['inputs'], data['data_samples'])
        return data


def test_only_what_changes_is_kept():
    model = nn.ModuleDict({'data_preprocessor': DimmingPreprocessor(mean=[0.0], std=[1.0])})
    carried = CarriedState(model)
    [part] = carried.parts
    assert carried.state() == [{}]
    part(torch.ones(1, 1, 2, 2), None)
    [state] = carried.state()
    assert list(state) == ['factor']
    part(torch.ones(1, 1, 2, 2), None)
    part.rank = 3
    carried.restore([state])
    assert (part.factor, part.rank) == (state['factor'], 3)


def dimmed():
    """The toy run's model with it."""
    model = toy_config('', {'stages': []}).model
    model.student.data_preprocessor.type = 'DimmingPreprocessor'
    return model


@pytest.mark.parametrize('at', [3, 6])
def test_a_resumed_run_goes_on_with_it(make_runner, at):
    """Before a stage and after it."""
    stages = {'stages': [{'begin': 1, 'iters': 3}]}
    whole = make_runner('whole', stages, length=2, model=dimmed())
    whole.train()
    assert whole.model.data_preprocessor.batch_augments.factor is not None
    killed = make_runner('killed', stages, length=2, model=dimmed())
    killed.register_hook(SaveInside(at))
    with pytest.raises(Killed):
        killed.train()
    inside = f'{killed.work_dir}/inside.pth'
    resumed = make_runner('killed', stages, length=2, model=dimmed(), resume=True, load_from=inside)
    resumed.train()
    assert_same(outcome(resumed), outcome(whole))


def test_a_resume_inside_of_a_stage_goes_on_with_it(make_runner, monkeypatch):
    hook = {'stages': [{'begin': 1, 'iters': 5}], 'checkpoint_interval': 2}
    whole = make_runner('whole', hook, length=2, model=dimmed())
    whole.train()
    with monkeypatch.context() as patch:
        kill_at(patch, 'score', 4)
        with pytest.raises(Killed):
            make_runner('killed', hook, length=2, model=dimmed()).train()
    resumed = make_runner('killed', hook, length=2, model=dimmed(), resume=True)
    resumed.train()
    assert_same(outcome(resumed), outcome(whole))


def test_a_stage_takes_nothing_from_it(make_runner):
    still = {'temperature': math.inf}
    students = []
    for name, stages in {'without': [], 'with': [{'begin': 1, 'iters': 3}]}.items():
        hook = {'stages': stages, 'search': still}
        runner = make_runner(name, hook, length=2, model=dimmed())
        runner.train()
        students.append(runner.model.state_dict())
    assert_same(*students)


def test_what_starts_anew_is_named(make_runner, caplog):
    transform = SimpleNamespace(results_cache=[])
    inner = SimpleNamespace(pipeline=SimpleNamespace(transforms=[transform]))
    loader = SimpleNamespace(dataset=SimpleNamespace(datasets=[inner], pipeline=[object()]))
    hooks = [EarlyStoppingHook(monitor='accuracy/top1'), CheckpointHook(save_optimizer=False)]
    said = what_is_not_exact(SimpleNamespace(hooks=hooks, train_dataloader=loader))
    assert said == [
        'the patience of EarlyStoppingHook',
        'the optimiser, which save_optimizer=False leaves out of checkpoints',
        'inside of an epoch, the images that SimpleNamespace keeps',
    ]
    quiet = make_runner('run', {'stages': []}, length=1)
    quiet.logger.addHandler(caplog.handler)
    quiet.train()
    assert 'not exact' not in caplog.text
