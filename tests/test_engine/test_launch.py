"""What a training is started with."""

import pytest
from mmengine.runner import Runner

from tst_mm.engine.hooks import AlternatingScheduleHook, NonFiniteHook
from tst_mm.engine.launch import build_runner
from tst_mm.engine.safety.student_weights import student_config
from tst_mm.utils.hooks import find_hook
from tst_mm.visualization.policy_report_hook import PolicyReportHook

from .toy import toy_config

STAGES = {'stages': []}


class OwnNonFiniteHook(NonFiniteHook):
    """A user's own."""


def as_classes(folder, kind=NonFiniteHook):
    config = toy_config(folder, STAGES)
    config.custom_hooks = [
        {'type': AlternatingScheduleHook, **STAGES},
        {'type': kind, 'max_skips': 3},
    ]
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
