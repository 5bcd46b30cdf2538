"""Flipping: where losses are found, how they are switched, and half precision."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from test_models.helpers import build_loss
from torch import nn

from tst_mm.models.objectives import Confidence
from tst_mm.paper import flip as flip_module
from tst_mm.paper.flip import (
    check_losses,
    find_losses,
    flipped,
    register_flip,
)

from .helpers import flip_loss

pytestmark = pytest.mark.filterwarnings('ignore:Default ``avg_non_ignore``')

SWITCHED = {
    'mmpretrain.CrossEntropyLoss': {},
    'mmpretrain.LabelSmoothLoss': {'label_smooth_val': 0.1, 'num_classes': 5},
    'mmdet.CrossEntropyLoss': {'use_sigmoid': True},
    'mmdet.FocalLoss': {},
    'mmseg.CrossEntropyLoss': {},
}


@pytest.mark.parametrize('kind', SWITCHED)
def test_off_is_the_original_value_bit_for_bit(kind):
    loss = build_loss(kind, **SWITCHED[kind])
    pred, labels = torch.randn(6, 5), torch.arange(6) % 5
    before, attributes = loss(pred, labels), dict(vars(loss))
    assert not torch.equal(flip_loss(loss, pred, labels), before)
    assert torch.equal(loss(pred, labels), before)
    assert vars(loss) == attributes


def test_off_again_after_an_exception_inside():
    losses = [build_loss('mmpretrain.CrossEntropyLoss'), build_loss('mmdet.FocalLoss')]
    pred, labels = torch.randn(6, 5), torch.arange(6) % 5
    before = [loss(pred, labels) for loss in losses]
    with pytest.raises(RuntimeError, match='inside'), flipped(losses):
        losses[0](pred, labels)
        raise RuntimeError('inside')
    for loss, value in zip(losses, before, strict=True):
        assert torch.equal(loss(pred, labels), value)


def test_a_loss_without_flip_leaves_the_others_as_they_were():
    good, bad = build_loss('mmpretrain.CrossEntropyLoss'), nn.HuberLoss()
    with pytest.raises(KeyError, match='HuberLoss'), flipped([good, bad]):
        pytest.fail('not reached')
    assert 'forward' not in vars(good)


# Finding ----------------------------------------------------------------------------------------


class Detector(nn.Module):
    def __init__(self, **losses):
        super().__init__()
        self.head = nn.Module()
        for name, loss in losses.items():
            self.head.add_module(name, loss)


def test_losses_are_found_by_name_and_wholes_are_not_taken_apart():
    smooth = build_loss('mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, num_classes=5)
    box = build_loss('mmdet.L1Loss')
    found = find_losses('student', Detector(loss_cls=smooth, loss_bbox=box, other=nn.Linear(1, 1)))
    assert found == {'head.loss_cls': smooth, 'head.loss_bbox': box}


def test_unknown_loss_is_named_with_what_is_allowed():
    model = Detector(loss_cls=build_loss('mmpretrain.SeesawLoss', num_classes=3))
    with pytest.raises(TypeError) as info:
        find_losses('student', model)
    message = str(info.value)
    for word in ("student: loss 'head.loss_cls' is a SeesawLoss", 'CrossEntropyLoss', 'register'):
        assert word in message
    assert '\n' not in message


class Poly(nn.Module):
    """A user's loss, whose name says nothing."""


@pytest.mark.parametrize('place', ['loss_cls', 'loss_module', 'loss_decode'])
def test_what_stands_for_a_loss_is_named_whatever_it_is_called(place):
    """Beside a known loss, too: unflipped it would teach the student what to be good at."""
    known = build_loss('mmpretrain.CrossEntropyLoss')
    for loss in (Poly(), nn.ModuleList([known, Poly()])):
        with pytest.raises(TypeError, match=rf"student: loss 'head\.{place}.*' is a Poly, which"):
            check_losses('student', Detector(**{place: loss, 'loss_known': known}))
    alone = Detector(**{place: nn.ModuleList([known])})
    check_losses('student', alone)
    assert list(find_losses('student', alone)) == [f'head.{place}.0']
    harmonised = build_loss('mmdet.GHMC', bins=10, momentum=0.0)
    with pytest.raises(TypeError, match='is a GHMC, which has no flipped form'):
        check_losses('student', Detector(**{place: harmonised, 'loss_known': known}))


@pytest.mark.parametrize('kind', ['FocalLoss', 'QualityFocalLoss'])
def test_losses_of_probabilities_are_refused_when_they_are_found(kind):
    model = Detector(loss_cls=build_loss(f'mmdet.{kind}', activated=True))
    with pytest.raises(ValueError, match=f"loss 'head.loss_cls', {kind} has activated=True"):
        find_losses('student', model)


def test_a_model_without_loss_modules_is_an_error():
    """It would silently be taught to be good instead of to fail."""
    with pytest.raises(TypeError, match='student: Detector has no loss module'):
        find_losses('student', Detector())


def test_registered_flip_is_used(monkeypatch):
    class LaplaceLoss(nn.Module):
        def forward(self, pred, target):
            return (pred - target).abs().mean()

    monkeypatch.setattr(flip_module, '_FLIPS', dict(flip_module._FLIPS))
    with pytest.raises(TypeError, match='LaplaceLoss'):
        find_losses('student', Detector(loss=LaplaceLoss()))
    register_flip('LaplaceLoss', lambda loss, forward, pred, target: -forward(pred, target))
    model = Detector(loss=LaplaceLoss())
    assert list(find_losses('student', model)) == ['head.loss']
    assert flip_loss(model.head.loss, torch.tensor(3.0), torch.tensor(1.0)).item() == -2


# Half precision ---------------------------------------------------------------------------------


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('scale', [1.0, 30.0])
@pytest.mark.parametrize(
    ('kind', 'options'),
    [
        ('mmpretrain.CrossEntropyLoss', {}),
        ('mmpretrain.CrossEntropyLoss', {'use_sigmoid': True}),
        ('mmpretrain.LabelSmoothLoss', {'label_smooth_val': 0.1, 'num_classes': 5}),
        ('mmdet.CrossEntropyLoss', {'use_sigmoid': True}),
        ('mmdet.FocalLoss', {}),
        ('mmseg.CrossEntropyLoss', {'avg_non_ignore': True}),
    ],
)
def test_half_precision_is_finite(dtype, scale, kind, options):
    pred = (torch.randn(8, 5) * scale).to(dtype).requires_grad_()
    labels = torch.arange(8) % 5
    hot = kind.startswith('mmpretrain') and options.get('use_sigmoid')
    value = flip_loss(build_loss(kind, **options), pred, F.one_hot(labels, 5) if hot else labels)
    value.backward()
    exact = pred.detach().double()
    expected = flip_loss(
        build_loss(kind, **options), exact, F.one_hot(labels, 5) if hot else labels
    )
    assert value.item() == pytest.approx(expected.item(), rel=4 * torch.finfo(dtype).eps, abs=1e-4)
    assert pred.grad.isfinite().all()
    assert pred.grad.any()


def test_confidence_is_the_same_of_a_flipped_loss():
    loss, labels = build_loss('mmpretrain.CrossEntropyLoss'), torch.tensor([0, 4, 2])
    pred = torch.randn(3, 5)
    with Confidence(loss, 5) as plain:
        loss(pred, labels)
    with Confidence(loss, 5) as other, flipped([loss]):
        loss(pred, labels)
    assert torch.equal(plain.value, other.value)
