"""Cutout: how large, where, and how often a pixel is erased."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ..helpers import operator


def region(position, extents, height, width, **kwargs):
    position, extents = torch.tensor([position]), torch.tensor([extents], dtype=torch.float32)
    return operator('Cutout', **kwargs).region(torch.ones(1), position, extents, height, width)


def test_square_in_the_middle():
    erased = region((0.5, 0.5), (20, 32), 20, 32)[0, 0]
    expected = torch.zeros(20, 32)
    expected[5:15, 11:21] = 1
    assert torch.equal(erased, expected)


def test_cut_at_the_border():
    """A corner keeps a quarter of the square."""
    erased = region((1.0, 0.0), (20, 20), 20, 20)[0, 0]
    expected = torch.zeros(20, 20)
    expected[15:, :5] = 1
    assert torch.equal(erased, expected)


def test_side_is_a_share_of_the_shorter_valid_side():
    erased = region((0.5, 0.5), (12, 30), 40, 40, limit=0.5)[0, 0]
    assert erased.sum() == 36
    assert erased[:12, :30].sum() == 36
    assert region((0.5, 0.5), (40, 40), 40, 40, limit=1.0).all()
    assert not region((0.5, 0.5), (40, 40), 40, 40, limit=0.0).any()


@given(
    y=st.floats(0, 1),
    x=st.floats(0, 1),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    limit=st.floats(0, 1),
)
@settings(max_examples=80, deadline=None)
def test_any_size(y, x, height, width, limit):
    erased = region((y, x), (height, width), height, width, limit=limit)
    side = limit * min(height, width)
    assert erased.shape == (1, 1, height, width)
    assert erased.sum() <= (side + 1.01) ** 2
    assert torch.equal(erased, erased * erased)
    rows, columns = erased[0, 0].any(1), erased[0, 0].any(0)
    assert torch.equal(erased[0, 0].bool(), rows[:, None] & columns[None, :])


def test_every_image_has_its_own():
    position = torch.tensor([[0.25, 0.25], [0.75, 0.75]])
    extents = torch.tensor([[16.0, 16.0], [8.0, 8.0]])
    erased = operator('Cutout').region(torch.ones(2), position, extents, 16, 16)
    assert erased.flatten(1).sum(1).tolist() == [64.0, 16.0]
    assert erased[0, 0, 4, 4] == 1 and erased[1, 0, 6, 6] == 1 and erased[1, 0, 12, 12] == 0


def test_mean_area():
    """Centres are uniform: along a side a share s is cut to s - s^2 / 4 on average."""
    position = torch.rand(4000, 2, generator=torch.Generator().manual_seed(0))
    extents = torch.full((4000, 2), 32.0)
    area = operator('Cutout').region(torch.ones(4000), position, extents, 32, 32).mean().item()
    assert area == pytest.approx((0.5 - 0.25 / 4) ** 2, rel=0.02)
