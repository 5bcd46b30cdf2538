"""Which runs are trained, continued, started anew; what is told of them."""

import os
import time

import pytest

from tst_mm.experiments import RunError, queue, train_all
from tst_mm.experiments.progress import Position


def processes_idle():
    """Whether a processor is idle while one training runs."""
    return len(os.sched_getaffinity(0)) > 1


def test_a_student_waits_for_its_teacher_and_gets_its_checkpoint(place):
    teacher = place.make('teacher')
    train_all([place.make('kd', teacher), teacher], jobs=2, poll=0.05)
    start, end, student, _ = place.order()
    assert start.startswith('start teacher') and end == 'end teacher'
    assert student.endswith(f'model.teacher.checkpoint={place.root}/w/teacher/iter_4.pth')


def test_independent_runs_go_at_the_same_time(place):
    runs = [place.make('teacher'), place.make('plain')]
    train_all(runs, jobs=2, poll=0.05)
    assert [line.split()[0] for line in place.order()] == ['start', 'start', 'end', 'end']


def test_a_finished_run_is_not_repeated(place, capsys):
    for _ in range(2):
        train_all([place.make('teacher')], jobs=1, poll=0.05)
    assert len(place.order()) == 2
    assert 'finished before: teacher' in capsys.readouterr().out


@pytest.mark.parametrize('change', ['config', 'seed', 'teacher'])
def test_a_changed_run_is_started_anew(place, change):
    teacher = place.make('teacher')
    train_all([teacher, place.make('kd', teacher)], jobs=1, poll=0.05)
    left = place.root / 'w' / 'kd' / 'left_over'
    left.touch()
    if change != 'seed':
        name = 'kd' if change == 'config' else 'teacher'
        (place.root / f'{name}.py').write_text('steps = 5\n')
    teacher = place.make('teacher')
    student = place.make('kd', teacher, seed=int(change == 'seed'))
    train_all([teacher, student], jobs=1, poll=0.05)
    last = [line for line in place.order() if line.startswith('start kd')][-1]
    assert len(place.order()) == (8 if change == 'teacher' else 6)
    assert '--resume' not in last and not left.exists()


def test_an_interrupted_run_is_continued(place):
    run = place.make('plain')
    run.prepare()
    (run.folder / 'iter_2.pth').touch()
    (run.folder / 'last_checkpoint').write_text('/moved/elsewhere/iter_2.pth')
    train_all([place.make('plain')], jobs=1, poll=0.05)
    assert '--resume' in place.order()[0]


def test_a_waiting_run_gets_an_interpreter_that_is_ready(place, monkeypatch):
    """It has what was preloaded, the run's arguments, and its log for output."""
    (place.root / 'train.py').write_text(
        'import sys\n'
        'print("preloaded:", "colorsys" in sys.modules, sys.argv[1], sys.stdin.read())\n'
        + (place.root / 'train.py').read_text().replace('sleep(0.3)', 'sleep(2)')
    )
    monkeypatch.setattr(queue, 'last_position', lambda log: Position('1/4 steps', 2.0))
    teacher, student = place.make('teacher'), place.make('kd')
    preload = ['no_such_module', 'colorsys', 'json:dumps']  # which fails without an argument
    train_all([teacher, place.make('kd', teacher)], jobs=1, poll=0.05, preload=preload)
    for run, ready in ((teacher, False), (student, True)):
        told = f'preloaded: {ready and processes_idle()} {run.config} \n'
        assert run.log.read_text() == told
    assert [line.split()[0] for line in place.order()] == ['start', 'end', 'start', 'end']


@pytest.mark.faults
def test_a_failed_training_is_told_with_its_last_lines_and_ends_the_others(place):
    begin = time.monotonic()
    with pytest.raises(RunError, match=r'broken failed.*\n.*the loss is NaN'):
        train_all([place.make('endless'), place.make('broken')], jobs=2, poll=0.05)
    assert time.monotonic() - begin < 30
    assert not place.make('endless').finished and not place.make('broken').finished
