"""The flip of softmax losses in closed form, through the modules of all three libraries."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from test_models.helpers import build_loss
from torch import Tensor

from tst_mm.paper.flip import (
    flip_softmax_logits,
)

from .helpers import flip_loss

pytestmark = pytest.mark.filterwarnings('ignore:Default ``avg_non_ignore``')

LARGEST = 18.4207  # -log(1e-8)
LIBRARIES = ('mmpretrain', 'mmdet', 'mmseg')


def wrong_by_as_much(pred: Tensor, labels: Tensor) -> Tensor:
    """Logits that give the true class 1 - p + 1e-8 and share the rest; ignored labels do not care.

    The flipped loss of ``pred`` is the plain loss of these, whatever the weights and the averaging.
    """
    classes = pred.shape[1]
    true = F.one_hot(labels.clamp(0, classes - 1), classes).movedim(-1, 1).bool()
    rest = 1 - pred.softmax(1) + 1e-8
    p = (rest * true).sum(1, keepdim=True)
    return torch.where(true, p, (1 - p) / (classes - 1)).log()


def test_flipped_logits_are_log_of_the_rest():
    logits = torch.randn(50, 7, 3, dtype=torch.double) * 3
    expected = (1 - logits.softmax(1) + 1e-8).log()
    torch.testing.assert_close(flip_softmax_logits(logits), expected)
    torch.testing.assert_close(flip_softmax_logits(logits.movedim(1, 2), 2), expected.movedim(1, 2))


@pytest.mark.parametrize('gap', [0, 5, 10, 15, 16, 17, 18, 20, 30, 100, 1000])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_sure_students_have_finite_and_exact_losses_and_gradients(gap, dtype):
    """In float32 p is 1 from a gap of about 17 on."""
    logits = torch.tensor([[gap, 0, 0]], dtype=dtype, requires_grad=True)
    loss = -flip_softmax_logits(logits)[0, 0]
    loss.backward()
    exact = logits.detach().double().requires_grad_()
    p_others = exact[0, 1:].logsumexp(0) - exact[0].logsumexp(0)
    expected = -(p_others.exp() + 1e-8).log()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-5)
    rounding = 2 * torch.finfo(dtype).eps
    torch.testing.assert_close(logits.grad.double(), exact.grad, rtol=rounding + 1e-4, atol=1e-5)


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=6),
    st.sampled_from([torch.float32, torch.bfloat16, torch.float64]),
)
def test_student_term_is_bounded_for_any_logits(logits, dtype):
    pred = torch.tensor([logits], dtype=dtype, requires_grad=True)
    loss = build_loss('mmpretrain.CrossEntropyLoss')
    for label in range(len(logits)):
        value = flip_loss(loss, pred, torch.tensor([label]))
        (gradient,) = torch.autograd.grad(value, pred)
        assert -1e-4 <= value.item() <= LARGEST + 1e-3
        assert gradient.isfinite().all()
        assert gradient.abs().max() <= 1.01


@pytest.mark.parametrize('library', LIBRARIES)
def test_gradient_on_the_logits(library):
    logits = torch.randn(1, 5, dtype=torch.double, requires_grad=True)
    flip_loss(build_loss(f'{library}.CrossEntropyLoss'), logits, torch.tensor([2])).backward()
    p = logits.detach().softmax(1)[0]
    expected = -p[2] * p / (1 - p[2])
    expected[2] = p[2]
    torch.testing.assert_close(logits.grad[0], expected, rtol=1e-6, atol=1e-7)


def test_two_and_many_classes():
    for classes in (2, 1000):
        pred = torch.randn(4, classes)
        labels = torch.arange(4) % classes
        value = flip_loss(build_loss('mmpretrain.CrossEntropyLoss'), pred, labels)
        p = pred.double().softmax(1)[range(4), labels]
        assert value.item() == pytest.approx(-(1 - p).log().mean().item(), abs=1e-5)


WEIGHTS = {
    'plain': ({}, {}),
    'loss weight': ({'loss_weight': 0.3}, {}),
    'sum': ({'reduction': 'sum'}, {}),
    'class weights': ({'class_weight': [0.5, 1.0, 2.0, 0.0, 3.0]}, {}),
    'weights': ({}, {'weight': True}),
    'averaging factor': ({}, {'avg_factor': 3.5}),
    'element by element': ({}, {'reduction_override': 'none', 'weight': True}),
    'all': (
        {'loss_weight': 2.0, 'class_weight': [0.5, 1.0, 2.0, 0.5, 3.0]},
        {'weight': True, 'avg_factor': 7.0},
    ),
}
IGNORING = {
    'ignored': ({}, {'ignore_index': 255}),
    'ignored, mean of the others': ({'avg_non_ignore': True}, {'ignore_index': 255}),
    'ignored, class weights': (
        {'class_weight': [0.5, 1.0, 2.0, 0.5, 3.0]},
        {'ignore_index': 255, 'weight': True, 'avg_factor': 4.0},
    ),
    'ignored, averaging factor': ({}, {'ignore_index': 255, 'avg_factor': 4.0}),
}


@pytest.mark.parametrize('library', LIBRARIES)
@pytest.mark.parametrize('case', [*WEIGHTS, *IGNORING])
def test_weights_and_averaging_are_those_of_the_module(library, case):
    if case in IGNORING and library == 'mmpretrain':
        return  # it ignores no targets
    options, arguments = {**WEIGHTS, **IGNORING}[case]
    shape = (6, 3, 2) if library == 'mmseg' else (6,)
    labels = torch.randint(0, 5, shape)
    if case in IGNORING:
        labels.view(-1)[::4] = 255
    arguments = dict(arguments)
    if arguments.pop('weight', False):
        arguments['weight'] = torch.rand(shape)
    loss = build_loss(f'{library}.CrossEntropyLoss', **options)
    pred = torch.randn(6, 5, *shape[1:])
    expected = loss(wrong_by_as_much(pred, labels), labels, **arguments)
    value = flip_loss(loss, pred, labels, **arguments)
    assert value.shape == expected.shape
    torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-5)


def test_soft_labels_take_the_expectation():
    pred, target = torch.randn(6, 5), torch.rand(6, 5).softmax(1)
    terms = -(1 - pred.softmax(1) + 1e-8).log()
    value = flip_loss(build_loss('mmpretrain.CrossEntropyLoss', use_soft=True), pred, target)
    assert value.item() == pytest.approx((target * terms).sum(1).mean().item(), abs=1e-6)


def test_one_hot_soft_labels_are_hard_labels():
    pred, labels = torch.randn(6, 5), torch.arange(6) % 5
    hard = flip_loss(build_loss('mmpretrain.CrossEntropyLoss'), pred, labels)
    one_hot = F.one_hot(labels, 5).float()
    soft = flip_loss(build_loss('mmpretrain.CrossEntropyLoss', use_soft=True), pred, one_hot)
    torch.testing.assert_close(soft, hard)


@pytest.mark.parametrize(('mode', 'epsilon'), [('original', 0.1), ('classy_vision', 0.1 / 1.1)])
def test_label_smoothing_takes_the_expectation(mode, epsilon):
    loss = build_loss('mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, num_classes=5, mode=mode)
    pred, labels = torch.randn(6, 5), torch.arange(6) % 5
    target = F.one_hot(labels, 5) * (1 - epsilon) + epsilon / 5
    terms = -(1 - pred.softmax(1) + 1e-8).log()
    value = flip_loss(loss, pred, labels)
    assert value.item() == pytest.approx((target * terms).sum(1).mean().item(), abs=1e-6)


def test_distribution_focal_loss_takes_the_expectation():
    """A distance of 1.3 is 0.7 of bin 1 and 0.3 of bin 2."""
    pred = torch.randn(1, 4)
    value = flip_loss(build_loss('mmdet.DistributionFocalLoss'), pred, torch.tensor([1.3]))
    terms = -(1 - pred.softmax(1) + 1e-8).log()[0]
    assert value.item() == pytest.approx((0.7 * terms[1] + 0.3 * terms[2]).item(), abs=1e-5)


def test_one_class_has_no_flip():
    with pytest.raises(ValueError, match='softmax over 1 class'):
        flip_loss(
            build_loss('mmdet.CrossEntropyLoss'),
            torch.randn(3, 1),
            torch.zeros(3, dtype=torch.long),
        )


@pytest.mark.parametrize('scale', [1.0, 20.0, 60.0])
@pytest.mark.parametrize('classes', [2, 4, 10])
def test_gradients_stay_exact_where_p_is_nearly_one(scale, classes):
    """float32 against float64: a saturated student must not be moved by rounding."""
    logits = torch.randn(2000, classes) * scale
    weights = torch.randn(2000, classes)
    single, exact = logits.clone().requires_grad_(), logits.double().requires_grad_()
    for leaf in (single, exact):
        flip_softmax_logits(leaf).backward(weights.to(leaf.dtype))
    torch.testing.assert_close(single.grad.double(), exact.grad, rtol=1e-4, atol=1e-7)
