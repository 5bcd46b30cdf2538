"""What a training is started with."""

from argparse import Namespace

import pytest
from mmengine.config import Config, ConfigDict
from mmengine.config.lazy import LazyAttr, LazyObject
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tst_mm.engine.hooks import AlternatingScheduleHook, NonFiniteHook
from tst_mm.engine.launch import build_runner, load_config, train
from tst_mm.engine.safety.config_checks import check_config
from tst_mm.engine.safety.student_weights import student_config
from tst_mm.utils.hooks import find_hook
from tst_mm.visualization.policy_report_hook import PolicyReportHook

from .toy import toy_config

STAGES = {'stages': []}


class OwnNonFiniteHook(NonFiniteHook):
    """A user's own."""


class StopDistillHook(Hook):
    """As MMRazor's."""


def of_class(kind, **arguments):
    """What a configuration in pure Python holds: a class that MMEngine imports when it is read.

    A bare class in a dictionary ends in MMEngine 0.10.7's own log of the configuration.
    """
    return ConfigDict(type=LazyAttr(kind.__name__, LazyObject(kind.__module__)), **arguments)


def as_classes(folder, kind=NonFiniteHook):
    config = toy_config(folder, STAGES)
    config.custom_hooks = [of_class(AlternatingScheduleHook, **STAGES), of_class(kind, max_skips=3)]
    return config


def as_names(folder, **scope):
    name = '{}' if scope else 'tst_mm.{}'
    config = toy_config(folder, STAGES)
    config.custom_hooks = [
        {'type': name.format('AlternatingScheduleHook'), **scope, **STAGES},
        {'type': name.format('NonFiniteHook'), **scope, 'max_skips': 3},
    ]
    return config


@pytest.mark.parametrize(
    'make',
    [
        as_names,
        lambda folder: as_names(folder, _scope_='tst_mm'),
        as_classes,
        lambda folder: as_classes(folder, OwnNonFiniteHook),
    ],
    ids=['names', 'scope', 'classes', 'subclass'],
)
def test_hooks_count_however_they_are_given(tmp_path, make):
    config = make(tmp_path)
    text = student_config(config)
    assert 'NonFiniteHook' not in text and 'Schedule' not in text and 'LoggerHook' in text
    runner: Runner = build_runner(config, training=True)
    found = [hook.max_skips for hook in runner.hooks if isinstance(hook, NonFiniteHook)]
    assert found == [3]
    assert find_hook(runner, PolicyReportHook) is not None


def test_a_run_without_stages_gets_no_report(tmp_path):
    config = toy_config(tmp_path, STAGES)
    config.model.pop('augmenter')
    config.model.pop('batch_mode')
    config.custom_hooks = []
    runner = build_runner(config, training=True)
    assert find_hook(runner, PolicyReportHook) is None
    assert find_hook(runner, NonFiniteHook).max_skips == 0


def arguments(config, launcher):
    return Namespace(
        config=str(config), launcher=launcher, work_dir=None, cfg_options={}, local_rank=0
    )


@pytest.mark.parametrize(
    ('launcher', 'variable', 'words'),
    [
        ('pytorch', 'RANK', ['torchrun', 'tools/dist_train.sh', 'RANK']),
        ('slurm', 'SLURM_PROCID', ['srun', 'tools/slurm_train.sh', 'SLURM_PROCID']),
        ('mpi', 'OMPI_COMM_WORLD_RANK', ['mpirun', 'OMPI_COMM_WORLD_RANK']),
    ],
)
def test_a_launcher_that_started_nothing(tmp_path, monkeypatch, launcher, variable, words):
    monkeypatch.delenv(variable, raising=False)
    path = tmp_path / 'config.py'
    toy_config(tmp_path, STAGES).dump(path)
    with pytest.raises(ValueError) as error:
        load_config(arguments(path, launcher))
    for word in [f'--launcher {launcher}', *words]:
        assert word in str(error.value)


def test_torchrun_without_a_launcher(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'x')
    monkeypatch.setenv('WORLD_SIZE', '2')
    path = tmp_path / 'config.py'
    toy_config(tmp_path, STAGES).dump(path)
    with pytest.raises(ValueError, match='torchrun has started 2 processes.*--launcher pytorch'):
        load_config(arguments(path, 'none'))
    monkeypatch.setenv('WORLD_SIZE', '1')
    assert load_config(arguments(path, 'none')).launcher == 'none'


def test_a_hook_that_would_end_the_run_in_the_middle(tmp_path):
    config = toy_config(tmp_path, STAGES)
    config.custom_hooks.append(of_class(StopDistillHook))
    with pytest.raises(ValueError, match='StopDistillHook has no effect on Class.*remove it'):
        build_runner(config, training=True)


def test_runs_in_one_folder(tmp_path):
    """Refused, gone on with, and told when there is nothing left."""

    def start(length, resume=None):
        config = toy_config(tmp_path, STAGES, length=length, log_level='INFO')
        names.append(f'{tmp_path.name}_{len(names)}')
        config.experiment_name = names[-1]
        return train(config, resume).iter

    names: list[str] = []
    assert start(1, 'auto') == 4
    policy = (tmp_path / 'policy.json').read_bytes()
    files = sorted(tmp_path.rglob('*.pth'))
    with pytest.raises(ValueError, match='holds a finished run, at iteration 4 of 4.*--resume'):
        start(2)
    assert (tmp_path / 'policy.json').read_bytes() == policy
    assert sorted(tmp_path.rglob('*.pth')) == files
    assert start(2, 'auto') == 8
    logs = ' '.join(path.read_text() for path in tmp_path.rglob('*.log'))
    assert 'Nothing to resume' in logs and f'The run goes on from {tmp_path}/epoch_1' in logs
    assert 'is finished' not in logs
    assert start(2, 'auto') == 8
    logs = ' '.join(path.read_text() for path in tmp_path.rglob('*.log'))
    assert 'is finished, at iteration 8 of 8: nothing is left to train' in logs


def test_optimisers_may_have_pairs_of_numbers():
    """As Adafactor's eps, and AdamW's betas."""
    optimizer = {'type': 'AdamW', 'lr': 0.0, 'betas': (0.9, 0.99), 'eps': (1e-30, 1e-3)}
    check_config(Config({'optim_wrapper': {'optimizer': optimizer}}))
