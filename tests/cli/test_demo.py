"""The demo as a user runs it."""

import argparse
import os
import subprocess
import sys
import textwrap
from unittest.mock import Mock

import pytest
from mmengine.config import Config

from tst_mm.augment import LearnedAugmenter
from tst_mm.cli import demo
from tst_mm.registry import MODELS


def test_help_says_what_happens(root):
    command = [sys.executable, 'tools/demo.py', '--help']
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert 'interrupted ones are continued' in result.stdout


@pytest.mark.faults
def test_no_seed_is_refused(root):
    command = [sys.executable, 'tools/demo.py', '--seeds', '0']
    result = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert (
        result.returncode == 2
        and "--seeds: '0' is not allowed; allowed: 1 or more" in result.stderr
    )


def test_every_student_of_a_task_has_a_config(root):
    for name, task in demo.TASKS.items():
        assert {'kd', 'tst'} <= set(task.students) <= set(demo.STUDENTS)
        for student in ('teacher', *task.students):
            assert (root / f'configs/demo/{name}_{student}.py').is_file()


@pytest.mark.parametrize(
    ('also', 'students'),
    [([], 'tst randaugment kd'), (['plain', 'random'], 'tst random randaugment kd plain')],
    ids=['default', 'also'],
)
def test_the_student_alone_is_trained_on_demand(tmp_path, monkeypatch, also, students):
    train = Mock(side_effect=KeyboardInterrupt)  # at the first training the demo ends
    monkeypatch.setattr(demo, 'train_all', train)
    monkeypatch.setattr(demo, 'Timer', Mock())
    with pytest.raises(KeyboardInterrupt):
        demo.demonstrate('classification', 1, tmp_path, 2, also)
    teacher, *runs = train.call_args.args[0]
    assert teacher.name == 'teacher' and ' '.join(run.name for run in runs) == students
    assert all((run.teacher is None) == (run.name == 'plain') for run in runs)


@pytest.mark.faults
def test_a_further_student_without_a_config_is_refused(tmp_path):
    """Before the first training, of whatever task."""
    words = 'faster_rcnn has no student .randaugment.; allowed: plain, kd, random, tst'
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    for task in ('all', 'faster_rcnn'):
        arguments = ['--task', task, '--also', 'randaugment', '--work-dir', str(tmp_path)]
        with pytest.raises(ValueError, match=words):
            demo.run(parser.parse_args(arguments))
    assert not list(tmp_path.iterdir())


def test_randaugment_is_at_nine_of_thirty_on_every_image(root):
    """The ranges in the config are 9 / 30 of those of the operators."""
    model = Config.fromfile(root / 'configs/demo/classification_randaugment.py').model
    assert model.batch_mode == 1 and model.augmenter.num_ops == 2
    augmenter = MODELS.build(model.augmenter)
    full = {one.name: one for one in LearnedAugmenter().operators}
    assert set(full) - {one.name for one in augmenter.operators} == {'Invert', 'Cutout'}
    for one in augmenter.operators:
        if one.has_magnitude:
            assert one.physical(1.0) == pytest.approx(full[one.name].physical(0.3), rel=1e-3)


@pytest.mark.slow
def test_the_whole_demo_on_a_few_steps(root, tmp_path):
    """Real configs, shortened; the table, the report and the student file are there."""
    script = textwrap.dedent("""
        import sys
        import forked
        from tst_mm.cli import demo
        from tst_mm.cli.app import run_command
        from tst_mm.experiments import Run
        prepare = Run.prepare
        short = ['train_cfg.max_epochs=2', 'train_cfg.val_interval=2',
                 'train_dataloader.dataset.indices=64',
                 'val_dataloader.dataset.indices=50',
                 'default_hooks.logger.type=LoggerHook', 'default_hooks.logger.interval=1',
                 'default_hooks.checkpoint.interval=2']
        stages = [f'custom_hooks.0.stages.{key}' for key in ('first=1', 'every=1', 'iters=2')]
        # So short a teacher is no better than chance, which would stop the students.
        trusting = [f'default_hooks.first_batch.{key}'
                    for key in ('type=tst_mm.FirstBatchHook', 'checks=[range,labels,stage]')]
        Run.prepare = lambda self: [
            *prepare(self), *short, *(stages if self.name == 'tst' else []),
            *(trusting if self.name in ('kd', 'tst') else [])]
        demo.TASKS['classification'] = demo.Task('short', 'accuracy/top1', 'accuracy, %',
                                                 students=('kd', 'tst'))
        forked.use()
        sys.exit(run_command('demo', ['--work-dir', sys.argv[1], '--jobs', '2']))
    """)
    command = [sys.executable, '-c', script, str(tmp_path)]
    path = os.pathsep.join(str(root / name) for name in ('tools', 'tests', '.'))
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': path}
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert '| TST' in result.stdout and 'student_epoch_2.pth' in result.stdout
    folder = tmp_path / 'classification'
    *_, page, picture = result.stdout.splitlines()
    assert page == f'report: {folder}/report.html'
    assert picture == f'what TST learned, in one picture: {folder}/learned.png'
    for name in (
        'learned.png',
        'report.html',
        'report/policy.png',
        'report/images.png',
        'results.json',
    ):
        assert (folder / name).stat().st_size > 0
