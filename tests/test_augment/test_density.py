"""Tilted densities: mean, its inverse and samples agree, up to the ends."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tst_mm.augment.density import tilt_of_mean, tilted_mean, tilted_sample

GRID = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000


@given(st.floats(0, 1))
def test_the_tilt_of_a_mean_has_that_mean(mean):
    tilt = torch.tensor(tilt_of_mean(mean), dtype=torch.float64)
    assert tilted_mean(tilt).item() == pytest.approx(mean, rel=1e-9, abs=1e-29)
    assert tilted_mean(tilt.float()).item() == pytest.approx(mean, abs=1e-6)


def test_known_values():
    for mean, tilt in ((0.0, -math.inf), (0.5, 0.0), (1.0, math.inf)):
        assert tilt_of_mean(mean) == tilt
        assert tilted_mean(torch.tensor(tilt)).item() == mean
    # 1 / (1 - e^-1) - 1
    assert tilted_mean(torch.tensor(1.0)).item() == pytest.approx(0.5819767, abs=1e-7)
    assert tilt_of_mean(0.25) == pytest.approx(-tilt_of_mean(0.75))


@pytest.mark.parametrize('tilt', [-1e-2, -1e-3, 1e-9, 9.99e-3, 1.001e-2])
def test_the_mean_is_smooth_about_zero(tilt):
    near = torch.tensor(tilt, dtype=torch.float64)
    assert tilted_mean(near).item() == pytest.approx(0.5 + tilt / 12 - tilt**3 / 720, abs=1e-12)


@pytest.mark.parametrize('tilt', [-1e38, -1e4, -80.0, -2.0, -1e-6, 0.0, 1e-9, 0.3, 5.0, 1e3, 1e38])
def test_samples_have_the_density(tilt):
    samples = tilted_sample(torch.tensor(tilt), GRID)
    assert samples.min() >= 0 and samples.max() <= 1 and (samples.diff() >= 0).all()
    mean = tilted_mean(torch.tensor(tilt, dtype=torch.float64)).item()
    assert samples.mean().item() == pytest.approx(mean, abs=1e-4)
    if abs(tilt) < 100:  # the share below v is (e^(kv) - 1) / (e^k - 1)
        for v in (0.1, 0.5, 0.9):
            share = math.expm1(tilt * v) / math.expm1(tilt) if tilt else v
            assert (samples <= v).double().mean().item() == pytest.approx(share, abs=1e-4)


def test_samples_at_the_ends_are_the_ends():
    tilts = torch.tensor([-math.inf, 0.0, math.inf])
    for u in (0.0, 0.5, 1 - 2**-24):
        assert tilted_sample(tilts, torch.full((3,), u)).tolist() == [0, u, 1]
