"""Paired differences and their intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.statistics import difference, levels, mean_sd

METRICS = st.lists(st.floats(0, 100), min_size=2, max_size=8)


def test_only_seeds_of_both_count():
    gap = difference({0: 3.0, 1: 5.0, 7: 99.0}, {0: 1.0, 1: 2.0, 8: 0.0})
    assert (gap.mean, gap.pairs) == (2.5, 2)
    assert gap.sd == pytest.approx(0.5**0.5)


def test_students_interval_is_the_textbooks():
    # Mean 2, sd 1, n 4: t(0.975, 3) = 3.1824.
    values = {0: 1.0, 1: 2.0, 2: 3.0, 3: 2.0}
    gap = difference(values, dict.fromkeys(values, 0.0))
    sd = (2 / 3) ** 0.5
    assert gap.student == pytest.approx((2 - 3.18245 * sd / 2, 2 + 3.18245 * sd / 2), abs=1e-4)


def test_one_pair_tells_nothing():
    assert difference({0: 1.0}, {0: 0.0}) is None


@given(METRICS)
def test_the_bootstrap_stays_among_the_pairs(gaps):
    gap = difference(dict(enumerate(gaps)), dict.fromkeys(range(len(gaps)), 0.0))
    low, high = gap.bootstrap
    assert min(gaps) - 1e-9 <= low <= high <= max(gaps) + 1e-9


@given(METRICS)
def test_swapping_turns_the_sign(gaps):
    values, others = dict(enumerate(gaps)), dict.fromkeys(range(len(gaps)), 50.0)
    forth, back = difference(values, others), difference(others, values)
    assert forth.mean == pytest.approx(-back.mean)
    assert not (forth.above_zero and back.above_zero)


def test_differences_that_are_all_the_same_are_certain(recwarn):
    gap = difference({0: 2.0, 1: 3.0}, {0: 1.0, 1: 2.0})
    assert gap.bootstrap == gap.student == (1.0, 1.0) and gap.above_zero
    assert not recwarn


def test_an_interval_that_touches_zero_is_not_above_it():
    assert not difference({0: 0.0, 1: 1.0, 2: 2.0}, {0: 0.0, 1: 0.0, 2: 0.0}).above_zero


def test_mean_and_spread():
    assert mean_sd([1.0, 3.0]) == (2.0, pytest.approx(2**0.5))
    assert mean_sd([4.0]) == (4.0, None)


def test_levels_are_means_where_all_methods_have_all_seeds():
    values = {'kd': {0: 50.0, 1: 52.0, 2: 57.0}, 'tst': {0: 51.0, 1: 55.0, 2: 58.0}}
    found = levels(values)
    assert found['tst'] - found['kd'] == pytest.approx(5 / 3)


def test_levels_compare_methods_that_share_no_seed():
    """By a third one, with what a seed brings left out: a mean difference would be far off."""
    hard, easy = 20.0, 60.0
    values = {
        'kd': {0: hard, 1: hard + 1, 10: easy, 11: easy + 2},
        'random': {0: hard + 1, 1: hard + 2},
        'tst': {10: easy + 3, 11: easy + 5},
        'once': {0: hard},
        'apart': {7: 1.0, 8: 2.0},
    }
    found = levels(values)
    assert found['tst'] - found['random'] == pytest.approx(2)
    assert found['random'] - found['kd'] == pytest.approx(1)
    assert found.keys() == {'kd', 'random', 'tst'}
    assert levels({}) == {}
