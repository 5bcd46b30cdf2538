"""Which runs are trained, continued, started anew; what is told of them."""

import time

import pytest

from tst_mm.experiments import RunError, queue, train_all


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


def test_processors_are_shared_by_those_that_run_side_by_side(place, monkeypatch):
    """The teacher, alone, gets all, but no more than four."""
    script = 'import os\nprint("threads", os.environ["OMP_NUM_THREADS"])\n'
    (place.root / 'train.py').write_text(script + (place.root / 'train.py').read_text())
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    for processors, alone, shared in ((8, 4, 4), (2, 2, 1), (1, 1, 1)):
        monkeypatch.setattr(queue.os, 'sched_getaffinity', lambda _, n=processors: range(n))
        teacher = place.make('teacher', seed=processors)
        runs = [place.make(name, teacher, seed=processors) for name in ('kd', 'plain')]
        train_all([teacher, *runs], jobs=2, poll=0.05)
        for run, threads in zip([teacher, *runs], (alone, shared, shared), strict=True):
            assert run.log.read_text() == f'threads {threads}\n'


@pytest.mark.faults
def test_a_failed_training_is_told_with_its_last_lines_and_ends_the_others(place):
    begin = time.monotonic()
    with pytest.raises(RunError, match=r'broken failed.*\n.*the loss is NaN'):
        train_all([place.make('endless'), place.make('broken')], jobs=2, poll=0.05)
    assert time.monotonic() - begin < 30
    assert not place.make('endless').finished and not place.make('broken').finished
