"""The report at the end of tiny but real runs; training does not notice it."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from test_configs.cut import cut_config
from test_configs.tiny_data import write_cityscapes, write_coco

from tst_mm.visualization import PolicyReportHook

STAGES = {'stages': [{'begin': 1, 'iters': 3}], 'interval': 2}
CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def hooks(report=None, schedule=STAGES):
    """``custom_hooks`` of a run, with a report or without."""
    schedule = {'type': 'tst_mm.AlternatingScheduleHook', **schedule}
    settings = {'type': 'tst_mm.PolicyReportHook', 'images': 2, 'batches': 2}
    return [schedule] if report is None else [schedule, {**settings, **report}]


def hook_of(runner) -> PolicyReportHook:
    return next(hook for hook in runner.hooks if isinstance(hook, PolicyReportHook))


def outcome(runner):
    """What a report must leave as it is."""
    optimizer = runner.optim_wrapper.optimizer.state_dict()['state']
    return {
        **{f'model.{key}': value for key, value in runner.model.state_dict().items()},
        **{f'{i}.{k}': v for i, state in optimizer.items() for k, v in state.items()},
        **{f'policy.{k}': v for k, v in runner.model.augmenter.policy.state_dict().items()},
    }


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    differ = [k for k in expected if not np.array_equal(np.array(found[k]), np.array(expected[k]))]
    assert differ == []


@pytest.fixture
def written(monkeypatch):
    """What reports would show, in place of their pages: drawing is most of a tiny run's time."""
    reports = []

    def keep(self, runner, iteration, examples, distribution):
        reports.append((iteration, examples, distribution))

    monkeypatch.setattr(PolicyReportHook, '_write', keep)
    return reports


@pytest.mark.parametrize('loop', ['epoch', 'iter'])
def test_student_and_policy_are_those_of_a_run_without_report(make_runner, written, loop):
    runners = {}
    for name, report in {'without': None, 'with': {'interval': 1}}.items():
        runners[name] = make_runner(name, {}, loop=loop, length=3, custom_hooks=hooks(report))
        runners[name].train()
    assert_same(outcome(runners['with']), outcome(runners['without']))
    policies = [Path(run.work_dir, 'policy.json').read_text() for run in runners.values()]
    assert policies[0] == policies[1]
    # It did report: when the stage and the iteration that follows it were over, and at the end.
    begin, end = (4, 12) if loop == 'epoch' else (1, 3)
    assert [iteration for iteration, _, _ in written] == [begin + 1, end]
    for iteration, examples, distribution in written:
        assert distribution.iteration == iteration and len(examples) == 2
        assert distribution.images == 16  # two batches of eight
        counts = [c for kind in distribution.counts.values() for c in kind.values()]
        assert [sum(c) for c in counts] == [16] * 4


def test_a_resumed_run_has_the_report_of_one_never_interrupted(make_runner, written):
    make_runner('whole', {}, custom_hooks=hooks({})).train()
    make_runner('part', {}, length=2, custom_hooks=hooks({})).train()
    make_runner('part', {}, custom_hooks=hooks({}), resume=True).train()
    (_, images, whole), _, (_, again, resumed) = written
    assert resumed == whole
    assert again.captions == images.captions
    np.testing.assert_array_equal(again.augmented, images.augmented)


def test_the_page_and_its_figures_are_written_and_shown(make_runner):
    runner = make_runner('run', {}, length=2, custom_hooks=hooks({}))
    runner.train()
    folder = Path(runner.work_dir)
    page = (folder / 'report.html').read_text()
    assert 'What the policy makes of training images' in page and 'Not measured' not in page
    names = {'effects', 'effect_history', 'policy', 'confidence', 'distribution'}
    names |= {'final_policy', 'images'}
    shown = {path.name for path in folder.glob('*/vis_data/vis_image/report_*.png')}
    assert shown == {f'report_{name}_8.png' for name in names}
    files = {path.stem for path in (folder / 'report').glob('*.png')}
    assert files == {*names, 'images_dark'}


def test_a_report_changes_no_flag_and_no_generator(make_runner, written):
    runner = make_runner('run', {}, length=2, custom_hooks=hooks({}))
    runner.train()

    def snapshot():
        modules = [m for top in (runner.model, runner.model.teacher.model) for m in top.modules()]
        return {
            'training': [module.training for module in modules],
            'gradients': [p.requires_grad for m in modules for p in m.parameters(False)],
            'filled': [p.grad is not None for m in modules for p in m.parameters(False)],
            'hooks': [len(module._forward_pre_hooks) for module in modules],
            'python': random.getstate()[1],
            'numpy': np.random.get_state()[1],
            'torch': torch.get_rng_state(),
            **outcome(runner),
        }

    for training in (True, False):  # a run may end with validation
        runner.model.train(training)
        before = snapshot()
        hook_of(runner).report(runner, runner.iter)
        assert_same(snapshot(), before)


def test_without_stages_it_shows_the_initial_policy(make_runner):
    schedule = {'stages': []}
    runner = make_runner('run', {}, length=1, custom_hooks=hooks({}, schedule))
    runner.train()
    page = Path(runner.work_dir, 'report.html').read_text()
    assert 'No augmenter stage has run' in page and '80.0%' in page
    files = {path.name for path in Path(runner.work_dir, 'report').glob('*.png')}
    assert files == {'final_policy.png', 'distribution.png', 'images.png', 'images_dark.png'}


def test_nothing_is_measured_with_no_batches(make_runner):
    settings = hooks({'batches': 0}, {'stages': []})
    runner = make_runner('run', {}, length=1, custom_hooks=settings)
    runner.train()
    assert 'Not measured' in Path(runner.work_dir, 'report.html').read_text()
    assert not Path(runner.work_dir, 'report', 'distribution.json').exists()


@pytest.mark.faults
def test_a_report_that_cannot_be_written_does_not_end_the_run(make_runner, caplog):
    runner = make_runner('run', {}, length=1, custom_hooks=hooks({}, {'stages': []}))
    Path(runner.work_dir, 'report').write_text('in the way')
    runner.train()
    assert Path(runner.work_dir, 'epoch_1.pth').exists()
    log = next(Path(runner.work_dir).glob('*/*.log')).read_text()
    assert 'The report could not be written: FileExistsError' in log


@pytest.mark.faults
def test_a_measurement_that_fails_does_not_end_the_run(make_runner, monkeypatch):
    runner = make_runner('run', {}, length=1, custom_hooks=hooks({}, {'stages': []}))

    def fail(*args):
        raise RuntimeError('out of memory')

    monkeypatch.setattr(type(runner.model), 'confidence_loss', fail)
    runner.train()
    assert Path(runner.work_dir, 'epoch_1.pth').exists()
    log = next(Path(runner.work_dir).glob('*/*.log')).read_text()
    assert "The report could not be written: RuntimeError('out of memory')" in log


def test_a_model_without_confidence_has_images_only(make_runner, monkeypatch, written):
    runner = make_runner('run', {}, length=1, custom_hooks=hooks({}, {'stages': []}))
    monkeypatch.setattr(type(runner.model), 'confidence_loss', lambda self, model: None)
    runner.train()
    ((_, examples, distribution),) = written
    assert distribution is None and len(examples) == 2


@pytest.mark.faults
@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'images': -1}, 'images is -1; allowed: whole numbers from 0'),
        ({'batches': 2.5}, 'batches is 2.5; allowed: whole numbers from 0'),
        ({'interval': 0}, 'interval is 0; allowed: whole numbers from 1, or None'),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        PolicyReportHook(**settings)


@pytest.mark.faults
def test_a_run_without_a_schedule_is_refused(make_runner):
    runner = make_runner('run', {}, custom_hooks=[{'type': 'tst_mm.PolicyReportHook'}])
    with pytest.raises(ValueError, match='the run has no AlternatingScheduleHook'):
        runner.train()


@pytest.mark.slow
@pytest.mark.parametrize(
    'name',
    [
        'detection/tst_faster-rcnn_r50-r18_2x_coco',
        'segmentation/tst_pspnet_r101-r18_8xb2-80k_cityscapes-512x1024',
    ],
)
def test_dense_tasks(name, tmp_path, written):
    write = write_coco if name.startswith('detection') else write_cityscapes
    write(tmp_path / 'data')
    outcomes = []
    for i, report in enumerate((None, {'interval': 1})):
        cfg = Config.fromfile(CONFIGS / f'{name}.py')
        cfg = cut_config(cfg, f'{tmp_path}/data/', str(tmp_path / f'run{i}'))
        cfg.custom_hooks = [*cfg.custom_hooks, *hooks(report)[1:]]
        cfg.experiment_name = f'{tmp_path.name}_{i}'
        cfg.randomness = dict(seed=0)
        runner = Runner.from_cfg(cfg)
        runner.train()
        outcomes.append(outcome(runner))
    assert_same(outcomes[1], outcomes[0])
    assert [iteration for iteration, _, _ in written] == [1, 1]  # after the stage, at the end
    for _, examples, distribution in written:
        labels = 'boxes' if name.startswith('detection') else 'label_map'
        assert len(examples) == 2
        assert all(getattr(a, labels) is not None for a in examples.before + examples.after)
        for kind in ('original', 'augmented'):
            for network in ('teacher', 'student'):
                assert sum(distribution.counts[kind][network]) > 0
                assert 0 < distribution.means[kind][network] < 1
