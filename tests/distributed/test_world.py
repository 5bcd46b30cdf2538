"""The harness: a rank that fails is not waited for, and not passed over."""

import time

import pytest
from mmengine.dist import barrier, get_backend, get_rank, get_world_size

from .world import run

pytestmark = pytest.mark.distributed


def describe() -> tuple[int, int, str | None]:
    return get_rank(), get_world_size(), get_backend()


def fail_on_the_second_rank() -> None:
    if get_rank() == 1:
        raise ValueError('this is the second')
    barrier()
    time.sleep(1000)


def test_ranks():
    assert run(describe) == [(0, 2, 'gloo'), (1, 2, 'gloo')]
    assert run(describe, ranks=1) == [(0, 1, None)]


def test_failing_rank():
    with pytest.raises(AssertionError, match='rank 1: Traceback(.|\n)*this is the second'):
        run(fail_on_the_second_rank)
    with pytest.raises(AssertionError, match='2 of 2 ranks still run after 0.01 s'):
        run(describe, timeout=0.01)
