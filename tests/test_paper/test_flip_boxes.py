"""The flip of box losses: bounded, and reduced as the losses themselves."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_models.helpers import build_loss
from torch import Tensor

from tst_mm.paper.flip import (
    flip_box_loss,
)

from .helpers import flip_loss

pytestmark = pytest.mark.filterwarnings('ignore:Default ``avg_non_ignore``')


def boxes(count: int = 6) -> tuple[Tensor, Tensor]:
    start = torch.rand(count, 2, dtype=torch.double) * 10
    target = torch.cat((start, start + 2 + torch.rand(count, 2, dtype=torch.double) * 8), 1)
    return target + torch.randn(count, 4, dtype=torch.double) * 0.7, target


@given(st.floats(0, 1e4))
def test_box_losses_are_bounded(loss):
    value = flip_box_loss(torch.tensor(loss, dtype=torch.double)).item()
    assert 0 <= value <= math.log(2) + 1e-12


def test_slope_is_that_of_the_negated_loss_at_a_perfect_box():
    loss = torch.tensor([0.0, 0.5, 3.0], dtype=torch.double, requires_grad=True)
    value = flip_box_loss(loss)
    value.sum().backward()
    assert value[0].item() == pytest.approx(math.log(2))
    assert loss.grad[0].item() == pytest.approx(-1)
    assert (loss.grad < 0).all()  # a worse box is always better for the augmenter
    torch.testing.assert_close(value, -torch.log(1 - torch.exp(-loss) / 2))


BOX_LOSSES = {
    'L1Loss': {},
    'SmoothL1Loss': {'beta': 0.5},
    'GIoULoss': {},
    'IoULoss': {},
    'IoULoss linear': {'mode': 'linear'},
    'DIoULoss': {},
    'CIoULoss': {},
    'MSELoss': {},
}


@pytest.mark.parametrize('kind', BOX_LOSSES)
@pytest.mark.parametrize('weighted', [False, True])
@pytest.mark.parametrize('avg_factor', [None, 2.5])
def test_box_losses_keep_weights_and_averaging(kind, weighted, avg_factor):
    pred, target = boxes()
    loss = build_loss(f'mmdet.{kind.split()[0]}', loss_weight=2.0, **BOX_LOSSES[kind])
    elements = loss(pred, target, reduction_override='none') / 2
    weight = torch.rand(6, 4, dtype=torch.double) if weighted else None
    terms = -torch.log(1 - torch.exp(-elements) / 2)
    if weighted:
        terms = terms * (weight.mean(1) if elements.dim() == 1 else weight)
    expected = 2 * (terms.mean() if avg_factor is None else terms.sum() / avg_factor)
    value = flip_loss(loss, pred, target, weight, avg_factor=avg_factor)
    torch.testing.assert_close(value, expected)


def test_box_losses_keep_the_reduction():
    pred, target = boxes()
    loss = build_loss('mmdet.L1Loss', reduction='sum')
    terms = flip_box_loss((pred - target).abs())
    torch.testing.assert_close(flip_loss(loss, pred, target), terms.sum())
    torch.testing.assert_close(flip_loss(loss, pred, target, reduction_override='none'), terms)
    torch.testing.assert_close(
        flip_loss(loss, pred, target, reduction_override='mean'), terms.mean()
    )


def test_box_losses_of_nothing():
    pred, target = boxes()
    pred.requires_grad_()
    for kind in ('L1Loss', 'GIoULoss'):
        value = flip_loss(
            build_loss(f'mmdet.{kind}'), pred, target, torch.zeros(6, 4), avg_factor=0
        )
        assert value.item() == 0
        assert flip_loss(build_loss(f'mmdet.{kind}', loss_weight=0.0), pred, target).item() == 0


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_boxes_are_finite(dtype):
    pred, target = (b.to(dtype) for b in boxes())
    pred.requires_grad_()
    value = flip_loss(build_loss('mmdet.L1Loss'), pred, target)
    value.backward()
    assert 0 < value.item() <= math.log(2)
    assert pred.grad.isfinite().all()
