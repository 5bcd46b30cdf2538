"""Shrunk effects, and how far they carry a policy."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tst_mm.search import Effects, FactorialExperiment, shrink, tilt


def effects(main, error, slope=0.0, slope_error=math.inf, spread=1.0):
    row = [torch.tensor([float(v)], dtype=torch.float64) for v in (main, error, slope, slope_error)]
    return Effects(*row, spread=spread, count=100.0)


@pytest.mark.parametrize(
    ('effect', 'error', 'kept'),
    [(4, 1, 3), (-4, 1, -3), (2, 1, 0), (1.5, 1, 0), (3, 0, 3), (0, 0, 0), (0, 1, 0)],
)
def test_shrink(effect, error, kept):
    assert shrink(torch.tensor(float(effect)), torch.tensor(float(error))) == kept


@given(st.floats(-1e3, 1e3), st.floats(0, 1e3))
def test_shrunk_effects_keep_their_sign_and_lose_size(effect, error):
    kept = float(shrink(torch.tensor(effect, dtype=torch.double), torch.tensor(error).double()))
    assert abs(kept) <= abs(effect) and kept * effect >= 0


def test_unknown_effects_are_gone():
    assert shrink(torch.tensor([5.0]), torch.tensor([torch.inf])) == 0


def test_what_lowers_the_objective_is_drawn_more():
    """By its size in units of the spread; and stronger, where its slope falls."""
    logits, tilts = tilt(effects(-2, 0, slope=3, slope_error=0, spread=4.0), 0.5)
    assert logits == 1 and tilts == -1.5


@pytest.mark.parametrize(
    'known',
    [
        FactorialExperiment([True]).effects(),
        effects(3, math.inf),
        effects(3, 0.1, spread=0.0),
    ],
    ids=['no data', 'not known', 'no spread'],
)
def test_no_evidence_moves_nothing(known):
    for moved in tilt(known, 1.0):
        assert torch.equal(moved, torch.zeros(1, dtype=torch.float64))


def test_infinite_temperature_moves_nothing():
    for moved in tilt(effects(3, 0.1, 5, 0.1), math.inf):
        assert moved == 0


@given(st.floats(-2, 2), st.floats(1, 3))
def test_effects_within_twice_their_error_leave_the_rate(share, error):
    """To 0.02, for the rounding of the product."""
    moved, _ = tilt(effects(share * error, error), 1.0)
    assert abs(torch.sigmoid(moved) - 0.5) < 0.02
