"""Positions of trainings, read and shown."""

import re

import pytest
from rich.console import Console

from tst_mm.experiments import progress
from tst_mm.experiments.progress import Display, last_position


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
def test_progress_is_the_last_that_was_printed(tmp_path, printed, told):
    log = tmp_path / 'output.log'
    log.write_text(f'Iter(train) [ 10/1500] lr: 1 eta: 0:09:00 time: 1\n{printed}\nbye\n' * 100)
    if not printed:
        log.write_text('hello\n')
    assert last_position(log).startswith(told)
    assert last_position(tmp_path / 'missing.log') == 'starting'


def test_without_a_terminal_lines_come_now_and_then(capsys):
    with Display(interval=1000) as display:
        display.show({'kd': '1/9 steps [0:01 left]', 'tst': 'starting'}, waiting=2)
        display.show({'kd': '2/9 steps', 'tst': '1/9 steps'}, waiting=2)
        display.say('kd finished')
        display.show({})
    assert capsys.readouterr().out.splitlines() == [
        '[0:00:00] kd: 1/9 steps [0:01 left] | tst: starting | 2 to come',
        '[0:00:00] kd finished',
    ]


def test_a_terminal_has_a_live_line_for_each_training(capsys, monkeypatch):
    def terminal(**options):
        return Console(force_terminal=True, width=80, **options)

    monkeypatch.setattr(progress, 'Console', terminal)
    with Display() as display:
        display.show({'kd': '1/9 steps [0:01 left]'}, waiting=1)
        display.say('teacher finished')
        display.show({'tst': 'starting'})
    out = ' '.join(re.sub(r'\x1b\[[^A-Za-z]*[A-Za-z]', '', capsys.readouterr().out).split())
    _, after = out.split('teacher finished')
    assert 'kd 1/9 steps [0:01 left]' in after and '1 to come' in after
    assert after.rindex('tst starting') > after.rindex('kd 1/9')  # which has ended
