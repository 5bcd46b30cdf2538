"""Positions of trainings, read and shown."""

import re

import pytest
from rich.console import Console

from tst_mm.experiments import progress
from tst_mm.experiments.progress import Display, Position, last_position, time_left


@pytest.mark.parametrize(
    ('printed', 'told', 'left'),
    [
        ('', 'starting', None),
        ('Iter(train) [ 650/1500]  lr: 1e-1  eta: 0:01:20  time: 0.1', '650/1500 steps', 80),
        ('Epoch(train)  [3][10/94]  lr: 1  eta: 0:00:09  time: 0.1', 'epoch 3, 10/94 steps', 9),
        ('Epoch(train) [3][1/94]  eta: 2 days, 1:00:09  ', 'epoch 3, 1/94 steps', 176409),
        (
            'Augmenter stage 1/2 [ 50/100]  lr: 1e-2  eta: 0:00:04  time: 0.08',
            'augmenter stage 1/2, 50/100',
            540,
        ),
    ],
)
def test_progress_is_the_last_that_was_printed(tmp_path, printed, told, left):
    log = tmp_path / 'output.log'
    log.write_text(f'Iter(train) [ 10/1500] lr: 1 eta: 0:09:00 time: 1\n{printed}\nbye\n' * 100)
    if not printed:
        log.write_text('hello\n')
    assert last_position(log) == Position(told, left)
    assert last_position(tmp_path / 'missing.log') == Position('starting')


@pytest.mark.parametrize(
    ('running', 'done', 'waiting', 'before', 'left'),
    [
        ([(5, None)], [], 1, 0, None),  # it has not said yet
        ([], [], 2, 0, None),
        ([(20, 40)], [], 0, 0, 40),
        ([(20, 40), (20, 40)], [50, 70], 0, 0, 40),
        ([(20, 40), (20, 40)], [], 2, 0, 100),  # (80 + 2 * 60) / 2 processes
        ([(20, 40)], [], 2, 40, 100),  # a teacher, then two students side by side
        ([(20, 10), (40, 50)], [], 1, 10, 70),  # the last one waits for a teacher and runs alone
    ],
)
def test_the_time_left_of_all(running, done, waiting, before, left):
    assert time_left(running, done, waiting, jobs=2, before=before) == left


def test_without_a_terminal_lines_come_now_and_then(capsys):
    with Display(interval=1000) as display:
        positions = {'kd': Position('[1]/9 steps', 60), 'tst': Position('starting')}
        display.show(positions, waiting=2, left=125)
        display.show(positions, waiting=2)
        display.say('kd finished')
        display.show({})
    assert capsys.readouterr().out.splitlines() == [
        '[0:00:00] about 0:02:05 left | kd: [1]/9 steps | tst: starting | 2 to come',
        '[0:00:00] kd finished',
    ]


def test_a_terminal_has_a_live_line_for_each_training(capsys, monkeypatch):
    def terminal(**options):
        return Console(force_terminal=True, width=100, **options)

    monkeypatch.setattr(progress, 'Console', terminal)
    with Display() as display:
        display.show({'kd': Position('[1]/9 steps', 60)}, waiting=1, left=125)
        display.say('teacher finished')
        display.show({'tst': Position('starting')})
    out = ' '.join(re.sub(r'\x1b\[[^A-Za-z]*[A-Za-z]', '', capsys.readouterr().out).split())
    _, after = out.split('teacher finished')
    assert '[1]/9 steps, 0:01:00 left' in after and 'about 0:02:05 left, 1 to come' in after
    assert after.rindex('starting') > after.rindex('[1]/9')  # which has ended
