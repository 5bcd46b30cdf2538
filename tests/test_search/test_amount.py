"""The controller of the fraction of augmented images."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tst_mm.search import AdaptiveAmount


def test_student_that_has_memorised_wants_all():
    amount = AdaptiveAmount(0.05, start=0.0, looks=10)
    assert [amount.update(0.0, 1.0) for _ in range(10)][-1] == pytest.approx(1)
    assert amount.update(0.0, 1.0) == 1 and amount.gap == 1


@pytest.mark.parametrize('unseen', [1.0, 0.5])
def test_student_that_generalises_wants_none(unseen):
    """Equal losses, or even smaller ones on unseen images."""
    amount = AdaptiveAmount(0.05, start=1.0, looks=10)
    for _ in range(10):
        amount.update(1.0, unseen)
    assert amount.fraction == pytest.approx(0, abs=1e-9)


def test_it_stands_at_the_target_and_moves_in_proportion_near_it():
    amount = AdaptiveAmount(0.1, start=0.5, looks=10)
    assert amount.update(0.9, 1.0) == pytest.approx(0.5)
    amount = AdaptiveAmount(0.1, start=0.5, looks=10)
    assert amount.update(0.85, 1.0) == pytest.approx(0.5 + 0.1 * 0.5)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=30),
    st.floats(0, 1),
    st.floats(0.5, 50),
)
def test_bounds(losses, start, looks):
    amount = AdaptiveAmount(0.05, start, looks)
    for seen, unseen in losses:
        before = amount.fraction
        after = amount.update(seen, unseen)
        assert 0 <= after <= 1 and abs(after - before) <= 1 / looks + 1e-12


@pytest.mark.parametrize('losses', [(math.nan, 1.0), (1.0, math.inf), (math.nan, math.nan)])
def test_what_is_no_number_is_left_out(losses):
    amount = AdaptiveAmount(0.05, 0.5, 10)
    amount.update(0.7, 1.0)
    before = amount.state_dict()
    amount.update(*losses)
    assert amount.state_dict() == before


def test_state_round_trip_is_exact():
    one, other = AdaptiveAmount(0.05, 1.0, 20), AdaptiveAmount(0.05, 0.3, 20)
    one.update(0.93, 1.0)
    other.load_state_dict(one.state_dict())
    for seen in (0.97, 0.99):
        assert one.update(seen, 1.0) == other.update(seen, 1.0)
    assert one.state_dict() == other.state_dict()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((0, 1.0, 10), 'target of the amount is 0; allowed: between 0 and 1'),
        ((1, 1.0, 10), 'target of the amount is 1'),
        ((0.1, 1.1, 10), 'start of the amount is 1.1; allowed: from 0 to 1'),
        ((0.1, True, 10), 'start of the amount is True'),
        ((0.1, 1.0, 0), 'looks of the amount is 0; allowed: above 0'),
        ((math.nan, 1.0, 10), 'target of the amount is nan'),
    ],
)
def test_values_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveAmount(*arguments)
