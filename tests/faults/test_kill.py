"""Runs killed with SIGKILL at random moments and resumed end as runs that were never killed.

``TST_MM_FAULTS=full pytest tests/faults`` kills four times as often and in all tasks.
"""

import random
import zlib

import pytest

from .fault import EVENTS, Fault
from .harness import FULL, assert_same_outcome
from .tasks import TASKS

pytestmark = [pytest.mark.slow, pytest.mark.faults]

#: Kills by task.
KILLS = {task: 4 for task in TASKS} if FULL else dict(classification=3, segmentation_workers=3)
#: Most of them in one run.
_IN_A_ROW = 3
#: Seconds between an event and the kill, at most: about a step and what comes after it.
_STEP = 0.5


def random_fault(draw: random.Random, events: dict[str, int]) -> Fault:
    """A kill at a random event of those that a run has, or at a random time from its start."""
    event = draw.choice(['start', *(event for event in EVENTS if events.get(event))])
    if event == 'start':
        return Fault('start', delay=draw.uniform(0, 10))
    # A run that goes on has fewer of them left.
    count = draw.randint(1, max(1, events[event] // 2))
    steps = event in ('student', 'augmenter', 'validation')
    return Fault(event, count, delay=draw.uniform(0, _STEP) if steps else 0.0)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize('task', KILLS)
def test_killed_at_random_and_resumed(make_run, whole, task, record_property):
    _, expected, events = whole(task)
    draw = random.Random(zlib.crc32(task.encode()))
    faults = []
    while len(faults) < KILLS[task]:
        run = make_run(task)
        for _ in range(_IN_A_ROW):
            fault = random_fault(draw, events) if len(faults) < KILLS[task] else None
            code = run.train('--resume', fault=fault)
            assert code in (0, -9), (fault, run.output[-3000:])
            if code == 0:
                break
            faults.append(fault)
        if code:
            assert run.train('--resume') == 0, (faults, run.output[-3000:])
        assert_same_outcome(run, expected)
    record_property('kills', len(faults))
    print(task, *faults, sep='\n  ')


@pytest.mark.parametrize(
    ('event', 'count'),
    [
        ('write', 3),  # half of the first checkpoint: there is none before it
        ('rename', 12),  # a finished file without its name
        ('pointer', 2),  # an empty last_checkpoint
        ('augmenter', 4),
        ('validation', 4),
    ],
)
def test_killed_in_the_middle_of(make_run, whole, event, count):
    _, expected, _ = whole('classification')
    run = make_run('classification')
    assert run.train(fault=Fault(event, count)) == -9
    assert run.train('--resume') == 0, run.output[-3000:]
    assert_same_outcome(run, expected)
