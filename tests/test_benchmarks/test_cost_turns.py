"""Trainings in turns: who runs when, what counts, and what becomes of one that fails."""

import os
import subprocess
import sys

import pytest

from benchmarks.cost.turns import Training, pass_turn, take_turns

LOOP = """
import sys, time
from benchmarks.cost.turns import pass_turn
name, steps, ends = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for step in range(steps):
    print(name, step, file=open('../order', 'a'))
    time.sleep(0.05 if name == 'slow' else 0)
    pass_turn()
{'well': lambda: None, 'badly': lambda: sys.exit('no disk')}[ends]()
"""


@pytest.fixture
def training(root, tmp_path):
    def make(name, steps, ends='well'):
        (tmp_path / name).mkdir()
        command = [sys.executable, '-c', LOOP, name, str(steps), ends]
        return Training(command, tmp_path / name, {**os.environ, 'PYTHONPATH': str(root)})

    return make


def test_an_iteration_of_each_at_a_time(training, tmp_path):
    slow, fast = training('slow', 4), training('fast', 2)
    take_turns([slow, fast])
    order = (tmp_path / 'order').read_text().split()[::2]
    assert order == ['slow', 'fast', 'slow', 'fast', 'slow', 'slow']
    # Each has the time of its own turns only.
    assert slow.seconds > 0.2 and fast.seconds < slow.seconds - 0.1


def test_one_that_fails_is_named_and_ends_the_others(training, tmp_path):
    good, bad = training('good', 1000), training('bad', 2, 'badly')
    with pytest.raises(subprocess.CalledProcessError) as caught:
        take_turns([good, bad])
    assert 'no disk' in caught.value.stderr and 'bad' in caught.value.cmd
    assert len((tmp_path / 'order').read_text().splitlines()) < 10


def test_one_that_is_killed_while_it_waits_is_named(training):
    one = training('one', 1000)
    assert one.turn()
    one._process.kill()
    one._process.wait()
    with pytest.raises(subprocess.CalledProcessError, match='SIGKILL'):
        one.turn()
    one.end()


def test_a_training_alone_waits_for_nobody():
    pass_turn()
