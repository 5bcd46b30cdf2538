"""The demo as a user runs it, and its parts: what is repeated, what is continued, what is told."""

import importlib
import json
import os
import subprocess
import sys
import textwrap
import time
from types import SimpleNamespace

import pytest

#: Stands in for tools/train.py: writes what a training leaves, without training.
FAKE_TRAIN = """
import json, sys, time
from pathlib import Path
config, folder = sys.argv[1], Path(sys.argv[3])
with open('order.txt', 'a') as file:
    file.write(' '.join(['start', folder.name, *sys.argv[4:]]) + '\\n')
time.sleep(0.3)
if 'broken' in config:
    raise SystemExit('the loss is NaN')
(folder / 'iter_4.pth').write_bytes(b'')
(folder / 'last_checkpoint').write_text(str(folder / 'iter_4.pth'))
if 'endless' in config:
    time.sleep(60)
with open('order.txt', 'a') as file:
    file.write('end ' + folder.name + '\\n')
"""


@pytest.fixture
def demo(root, tmp_path, monkeypatch):
    """The modules of the demo, set on a repository whose trainings do nothing."""
    monkeypatch.syspath_prepend(str(root / 'tools'))
    names = ('run', 'queue', 'progress', 'results')
    modules = {name: importlib.import_module(f'demo_steps.{name}') for name in names}
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools' / 'train.py').write_text(FAKE_TRAIN)
    for name in ('teacher', 'kd', 'plain', 'broken', 'endless'):
        (tmp_path / f'{name}.py').write_text(f'steps = 4\nname = "{name}"\n')
    for name in ('run', 'queue'):
        monkeypatch.setattr(modules[name], 'ROOT', tmp_path)

    def make(name, teacher=None, seed=0):
        return modules['run'].Run(name, f'{name}.py', tmp_path / 'w' / name, seed, teacher)

    def order():
        return (tmp_path / 'order.txt').read_text().splitlines()

    return SimpleNamespace(**modules, make=make, order=order, root=tmp_path)


def test_a_student_waits_for_its_teacher_and_gets_its_checkpoint(demo):
    teacher = demo.make('teacher')
    demo.queue.train_all([demo.make('kd', teacher), teacher], jobs=2, poll=0.05)
    start, end, student, _ = demo.order()
    assert start.startswith('start teacher') and end == 'end teacher'
    assert student.endswith(f'model.teacher.checkpoint={demo.root}/w/teacher/iter_4.pth')


def test_independent_runs_go_at_the_same_time(demo):
    runs = [demo.make('teacher'), demo.make('plain')]
    demo.queue.train_all(runs, jobs=2, poll=0.05)
    assert [line.split()[0] for line in demo.order()] == ['start', 'start', 'end', 'end']


def test_a_finished_run_is_not_repeated(demo, capsys):
    for _ in range(2):
        demo.queue.train_all([demo.make('teacher')], jobs=1, poll=0.05)
    assert len(demo.order()) == 2
    assert 'finished before: teacher' in capsys.readouterr().out


@pytest.mark.parametrize('change', ['config', 'seed', 'teacher'])
def test_a_changed_run_is_started_anew(demo, change):
    teacher = demo.make('teacher')
    demo.queue.train_all([teacher, demo.make('kd', teacher)], jobs=1, poll=0.05)
    left = demo.root / 'w' / 'kd' / 'left_over'
    left.touch()
    if change != 'seed':
        name = 'kd' if change == 'config' else 'teacher'
        (demo.root / f'{name}.py').write_text('steps = 5\n')
    teacher = demo.make('teacher')
    student = demo.make('kd', teacher, seed=int(change == 'seed'))
    demo.queue.train_all([teacher, student], jobs=1, poll=0.05)
    last = [line for line in demo.order() if line.startswith('start kd')][-1]
    assert len(demo.order()) == (8 if change == 'teacher' else 6)
    assert '--resume' not in last and not left.exists()


def test_an_interrupted_run_is_continued(demo):
    run = demo.make('plain')
    run.prepare()
    (run.folder / 'iter_2.pth').touch()
    (run.folder / 'last_checkpoint').write_text('/moved/elsewhere/iter_2.pth')
    demo.queue.train_all([demo.make('plain')], jobs=1, poll=0.05)
    assert '--resume' in demo.order()[0]


def test_a_folder_of_somebody_else_is_never_removed(demo):
    run = demo.make('plain')
    run.folder.mkdir(parents=True)
    (run.folder / 'thesis.tex').touch()
    run.prepare()
    assert (run.folder / 'thesis.tex').exists()


@pytest.mark.faults
def test_a_failed_training_is_told_with_its_last_lines_and_ends_the_others(demo):
    begin = time.monotonic()
    with pytest.raises(demo.queue.RunError, match=r'broken failed.*\n.*the loss is NaN'):
        demo.queue.train_all([demo.make('endless'), demo.make('broken')], jobs=2, poll=0.05)
    assert time.monotonic() - begin < 30
    assert not demo.make('endless').finished and not demo.make('broken').finished


@pytest.mark.parametrize(
    ('printed', 'told'),
    [
        ('', 'starting'),
        ('Iter(train) [ 650/1500]  lr: 1e-1  eta: 0:01:20  time: 0.1', '650/1500 steps, 0:01:20'),
        ('Epoch(train)  [3][10/94]  lr: 1e-1  eta: 0:00:09  time: 0.1', 'epoch 3, 10/94 steps'),
        (
            'Augmenter stage 1/2 [ 50/100]  lr: 1e-2  eta: 0:00:04  time: 0.08',
            'augmenter stage 1/2 50/100',
        ),
    ],
)
def test_progress_is_the_last_that_was_printed(demo, printed, told):
    log = demo.root / 'output.log'
    log.write_text(f'Iter(train) [ 10/1500] lr: 1 eta: 0:09:00 time: 1\n{printed}\nbye\n' * 100)
    if not printed:
        log.write_text('hello\n')
    assert demo.progress.last_position(log).startswith(told)
    assert demo.progress.last_position(demo.root / 'missing.log') == 'starting'


def test_results_are_read_over_resumes(demo):
    run = demo.make('plain')
    for stamp, entries in (
        ('20260101_000001', [{'lr': 0.1, 'time': 0.1, 'step': 50}, {'acc': 0.5, 'step': 500}]),
        (
            '20260101_000002',
            [
                {'augmenter/lr': 0.1, 'step': 9999},
                {'lr': 0.1, 'time': 0.3, 'step': 1500},
                {'acc': 0.75, 'step': 1500},
            ],
        ),
    ):
        folder = run.folder / stamp / 'vis_data'
        folder.mkdir(parents=True)
        lines = '\n'.join(json.dumps(entry) for entry in entries)
        (folder / 'scalars.json').write_text(lines + '\n')
    run.log.write_text(
        'Augmenter stage 1/2 [ 50/100]  lr: 1e-2  eta: 0:00:04  time: 0.1  loss: 1\n'
        'Augmenter stage 1/2 [100/100]  lr: 1e-2  eta: 0:00:04  time: 0.2  loss: 1\n'
        'Augmenter stage 2/2 [ 60/60]  lr: 1e-2  eta: 0:00:04  time: 0.5  loss: 1\n'
    )
    result = demo.results.read_result(run, 'acc', 100)
    assert (result.metric, result.step, result.steps) == (75, pytest.approx(0.2), 1500)
    assert result.stages == pytest.approx(5 + 10 + 30)
    with pytest.raises(KeyError, match="'mAP' is not in the scalars"):
        demo.results.read_result(run, 'mAP', 100)


def test_the_table_relates_costs_to_distillation(demo):
    result = demo.results.Result
    table = demo.results.format_table(
        {
            'kd': [result(80.0, 0.1, 100, 0.0)],
            'tst': [result(82.0, 0.12, 100, 3.0), result(81.0, 0.12, 100, 3.0)],
        },
        {'kd': 'KD', 'tst': 'TST'},
        'kd',
        'accuracy, %',
    )
    cells = [[cell.strip() for cell in row.split('|')[1:-1]] for row in table.splitlines()]
    assert cells[2] == ['KD', '80.0', '1.00 x', '1.00 x']
    assert cells[3] == ['TST', '81.5 ± 0.7', '1.20 x', '1.50 x']
    assert len({len(row) for row in table.splitlines()}) == 1


def test_help_says_what_happens(root):
    command = [sys.executable, 'tools/demo.py', '--help']
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert 'interrupted ones are continued' in result.stdout


@pytest.mark.faults
def test_no_seed_is_refused(root):
    command = [sys.executable, 'tools/demo.py', '--seeds', '0']
    result = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert result.returncode == 2 and '--seeds is 0; allowed: 1 or more' in result.stderr


@pytest.mark.slow
def test_the_whole_demo_on_a_few_steps(root, tmp_path):
    """Real configs, shortened; the table, the report and the student file are there."""
    script = textwrap.dedent("""
        import sys
        sys.path.insert(0, 'tools')
        import demo
        from demo_steps import run
        prepare = run.Run.prepare
        short = ['train_cfg.max_epochs=3', 'train_cfg.val_interval=3',
                 'train_dataloader.dataset.indices=128',
                 'val_dataloader.dataset.indices=50',
                 'default_hooks.logger.type=LoggerHook', 'default_hooks.logger.interval=1',
                 'default_hooks.checkpoint.interval=3']
        stages = [f'custom_hooks.0.stages.{key}' for key in ('first=1', 'every=1', 'iters=4')]
        run.Run.prepare = lambda self: [
            *prepare(self), *short, *(stages if self.name == 'tst' else [])]
        demo.TASKS['classification'] = demo.Task('short', 'accuracy/top1', 'accuracy, %',
                                                 students=('kd', 'tst'))
        sys.exit(demo.main(['--work-dir', sys.argv[1], '--jobs', '2']))
    """)
    command = [sys.executable, '-c', script, str(tmp_path)]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert '| TST' in result.stdout and 'student_epoch_3.pth' in result.stdout
    folder = tmp_path / 'classification'
    assert result.stdout.splitlines()[-1] == f'report: {folder}/report.html'
    for name in ('report.html', 'report/policy.png', 'report/images.png', 'results.json'):
        assert (folder / name).stat().st_size > 0
