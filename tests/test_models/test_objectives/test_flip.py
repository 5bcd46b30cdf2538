"""Flipped losses against closed forms, through the loss modules of all three libraries."""

from __future__ import annotations

import math

import mmdet.models
import mmpretrain.models
import mmseg.models
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tst_mm.models.objectives import (
    find_losses,
    flip_box_loss,
    flip_softmax_logits,
    flipped,
    register_flip,
)
from tst_mm.models.objectives import flip as flip_module
from tst_mm.registry import MODELS

pytestmark = pytest.mark.filterwarnings('ignore:Default ``avg_non_ignore``')

LARGEST = 18.4207  # -log(1e-8)
LIBRARIES = ('mmpretrain', 'mmdet', 'mmseg')


def build(kind: str, **options) -> nn.Module:
    return MODELS.build({'type': kind, **options})


def flip(loss: nn.Module, *args, **kwargs) -> Tensor:
    with flipped([loss]):
        return loss(*args, **kwargs)


def wrong_by_as_much(pred: Tensor, labels: Tensor) -> Tensor:
    """Logits that give the true class 1 - p + 1e-8 and share the rest; ignored labels do not care.

    The flipped loss of ``pred`` is the plain loss of these, whatever the weights and the averaging.
    """
    classes = pred.shape[1]
    true = F.one_hot(labels.clamp(0, classes - 1), classes).movedim(-1, 1).bool()
    rest = 1 - pred.softmax(1) + 1e-8
    p = (rest * true).sum(1, keepdim=True)
    return torch.where(true, p, (1 - p) / (classes - 1)).log()


def boxes(count: int = 6) -> tuple[Tensor, Tensor]:
    start = torch.rand(count, 2, dtype=torch.double) * 10
    target = torch.cat((start, start + 2 + torch.rand(count, 2, dtype=torch.double) * 8), 1)
    return target + torch.randn(count, 4, dtype=torch.double) * 0.7, target


# Softmax ----------------------------------------------------------------------------------------


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
    loss = build('mmpretrain.CrossEntropyLoss')
    for label in range(len(logits)):
        value = flip(loss, pred, torch.tensor([label]))
        (gradient,) = torch.autograd.grad(value, pred)
        assert -1e-4 <= value.item() <= LARGEST + 1e-3
        assert gradient.isfinite().all()
        assert gradient.abs().max() <= 1.01


@pytest.mark.parametrize('library', LIBRARIES)
def test_gradient_on_the_logits(library):
    logits = torch.randn(1, 5, dtype=torch.double, requires_grad=True)
    flip(build(f'{library}.CrossEntropyLoss'), logits, torch.tensor([2])).backward()
    p = logits.detach().softmax(1)[0]
    expected = -p[2] * p / (1 - p[2])
    expected[2] = p[2]
    torch.testing.assert_close(logits.grad[0], expected, rtol=1e-6, atol=1e-7)


def test_two_and_many_classes():
    for classes in (2, 1000):
        pred = torch.randn(4, classes)
        labels = torch.arange(4) % classes
        value = flip(build('mmpretrain.CrossEntropyLoss'), pred, labels)
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
        {'ignore_index': 255, 'weight': True},
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
    loss = build(f'{library}.CrossEntropyLoss', **options)
    pred = torch.randn(6, 5, *shape[1:])
    expected = loss(wrong_by_as_much(pred, labels), labels, **arguments)
    value = flip(loss, pred, labels, **arguments)
    assert value.shape == expected.shape
    torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-5)


def test_soft_labels_take_the_expectation():
    pred, target = torch.randn(6, 5), torch.rand(6, 5).softmax(1)
    terms = -(1 - pred.softmax(1) + 1e-8).log()
    value = flip(build('mmpretrain.CrossEntropyLoss', use_soft=True), pred, target)
    assert value.item() == pytest.approx((target * terms).sum(1).mean().item(), abs=1e-6)


def test_one_hot_soft_labels_are_hard_labels():
    pred, labels = torch.randn(6, 5), torch.arange(6) % 5
    hard = flip(build('mmpretrain.CrossEntropyLoss'), pred, labels)
    one_hot = F.one_hot(labels, 5).float()
    soft = flip(build('mmpretrain.CrossEntropyLoss', use_soft=True), pred, one_hot)
    torch.testing.assert_close(soft, hard)


@pytest.mark.parametrize(('mode', 'epsilon'), [('original', 0.1), ('classy_vision', 0.1 / 1.1)])
def test_label_smoothing_takes_the_expectation(mode, epsilon):
    loss = build('mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, num_classes=5, mode=mode)
    pred, labels = torch.randn(6, 5), torch.arange(6) % 5
    target = F.one_hot(labels, 5) * (1 - epsilon) + epsilon / 5
    terms = -(1 - pred.softmax(1) + 1e-8).log()
    value = flip(loss, pred, labels)
    assert value.item() == pytest.approx((target * terms).sum(1).mean().item(), abs=1e-6)


def test_distribution_focal_loss_takes_the_expectation():
    """A distance of 1.3 is 0.7 of bin 1 and 0.3 of bin 2."""
    pred = torch.randn(1, 4)
    value = flip(build('mmdet.DistributionFocalLoss'), pred, torch.tensor([1.3]))
    terms = -(1 - pred.softmax(1) + 1e-8).log()[0]
    assert value.item() == pytest.approx((0.7 * terms[1] + 0.3 * terms[2]).item(), abs=1e-5)


def test_one_class_has_no_flip():
    with pytest.raises(ValueError, match='softmax over 1 class'):
        flip(build('mmdet.CrossEntropyLoss'), torch.randn(3, 1), torch.zeros(3, dtype=torch.long))


# Sigmoid ----------------------------------------------------------------------------------------


def cross_entropy(p: Tensor, target: Tensor) -> Tensor:
    return -(target * p.log() + (1 - target) * (1 - p).log())


def test_binary_cross_entropy_with_the_other_targets():
    pred, target = torch.randn(6, 5), torch.randint(0, 2, (6, 5)).float()
    loss = build('mmpretrain.CrossEntropyLoss', use_sigmoid=True)
    arguments = {'weight': torch.rand(6), 'avg_factor': 4.0}
    torch.testing.assert_close(
        flip(loss, pred, target, **arguments), loss(pred, 1 - target, **arguments)
    )
    soft = torch.rand(6, 5)
    torch.testing.assert_close(flip(loss, pred, soft), loss(pred, 1 - soft))


def test_weights_of_positives_stay_with_the_positives():
    pred, target = torch.randn(6, 2), torch.randint(0, 2, (6, 2)).float()
    loss = build('mmpretrain.CrossEntropyLoss', use_sigmoid=True, pos_weight=[3.0, 0.5])
    weight = torch.where(target > 0, torch.tensor([3.0, 0.5]), torch.ones(2))
    expected = (weight * cross_entropy(pred.sigmoid(), 1 - target)).mean()
    torch.testing.assert_close(flip(loss, pred, target), expected)


def test_multi_label_smoothing():
    pred, target = torch.randn(6, 5), torch.randint(0, 2, (6, 5)).float()
    loss = build(
        'mmpretrain.LabelSmoothLoss',
        label_smooth_val=0.1,
        num_classes=5,
        mode='multi_label',
        use_sigmoid=True,
    )
    expected = cross_entropy(1 - pred.sigmoid(), target * 0.8 + 0.1).mean()
    torch.testing.assert_close(flip(loss, pred, target), expected)


@pytest.mark.parametrize('library', ['mmdet', 'mmseg'])
def test_binary_cross_entropy_of_indices(library):
    """Label 5 of 5 classes is mmdet's background; 255 is ignored."""
    labels = torch.tensor([0, 2, 4, 255, 1, 5 if library == 'mmdet' else 3])
    pred, weight = torch.randn(6, 5), torch.rand(6)
    target = F.one_hot(labels.clamp(max=5), 6)[:, :5].float()
    weights = (weight * (labels != 255))[:, None]
    expected = (weights * cross_entropy(pred.sigmoid(), 1 - target)).sum() / 4.0
    loss = build(f'{library}.CrossEntropyLoss', use_sigmoid=True)
    value = flip(loss, pred, labels, weight, avg_factor=4.0, ignore_index=255)
    torch.testing.assert_close(value, expected)


def test_mask_loss_is_binary_though_it_has_channels_of_classes():
    pred, labels = torch.randn(4, 3, 5, 5), torch.tensor([0, 2, 1, 1])
    target = torch.randint(0, 2, (4, 5, 5)).float()
    value = flip(build('mmdet.CrossEntropyLoss', use_mask=True), pred, target, labels)
    expected = cross_entropy(pred[range(4), labels].sigmoid(), 1 - target).mean()
    torch.testing.assert_close(value[0], expected)


# Focal ------------------------------------------------------------------------------------------


def focal_terms(pred: Tensor, positive: Tensor, gamma: float, alpha: float) -> Tensor:
    """Method, section 4: positives -alpha s^g log(1-s), negatives -(1-alpha)(1-s)^g log s."""
    s = pred.sigmoid()
    on = -alpha * s**gamma * (1 - s).log()
    return torch.where(positive, on, -(1 - alpha) * (1 - s) ** gamma * s.log())


@pytest.mark.parametrize('library', ['mmdet', 'mmpretrain'])
@pytest.mark.parametrize('multi_hot', [False, True])
@pytest.mark.parametrize(('gamma', 'alpha'), [(2.0, 0.25), (0.0, 0.5), (1.5, 0.7)])
def test_focal_loss_term_by_term(library, multi_hot, gamma, alpha):
    """With two classes of which one is true there are as many negatives as positives."""
    pred, labels = torch.randn(6, 2), torch.tensor([0, 1, 1, 0, 1, 0])
    positive = F.one_hot(labels, 2).bool()
    loss = build(f'{library}.FocalLoss', gamma=gamma, alpha=alpha, loss_weight=0.7)
    value = flip(loss, pred, positive.long() if multi_hot else labels, avg_factor=5.0)
    expected = 0.7 * focal_terms(pred, positive, gamma, alpha).sum() / 5
    torch.testing.assert_close(value, expected)
    mean = flip(loss, pred, positive.long() if multi_hot else labels)
    torch.testing.assert_close(mean, expected * 5 / 12)


def test_focal_loss_without_focus_is_half_of_binary_cross_entropy():
    pred, labels = torch.randn(6, 2), torch.tensor([0, 1, 1, 0, 1, 0])
    focal = build('mmdet.FocalLoss', gamma=0.0, alpha=0.5)
    binary = build('mmdet.CrossEntropyLoss', use_sigmoid=True)
    torch.testing.assert_close(flip(focal, pred, labels), flip(binary, pred, labels) / 2)


def test_focal_negatives_together_weigh_as_much_as_positives():
    """Label 3 of 3 classes is background; the second anchor is ignored by its weight."""
    pred, labels = torch.randn(5, 3), torch.tensor([0, 1, 3, 3, 2])
    weight = torch.tensor([1.0, 0.0, 1.0, 2.0, 0.5])
    positive = F.one_hot(labels, 4)[:, :3].bool()
    terms = focal_terms(pred, positive, 2.0, 0.25) * weight[:, None]
    share = 1.5 / (3 * weight.sum() - 1.5)
    value = flip(build('mmdet.FocalLoss'), pred, labels, weight, avg_factor=2.0)
    expected = (terms[positive].sum() + share * terms[~positive].sum()) / 2
    torch.testing.assert_close(value, expected)


def test_focal_loss_of_background_only_is_nothing():
    pred = torch.randn(5, 3, requires_grad=True)
    value = flip(build('mmdet.FocalLoss'), pred, torch.full((5,), 3), avg_factor=1)
    value.backward()
    assert value.item() == 0
    assert not pred.grad.any()


def test_quality_focal_loss_term_by_term():
    pred, labels = torch.randn(6, 2), torch.tensor([0, 1, 1, 0, 1, 0])
    quality = torch.rand(6)
    s, positive = pred.sigmoid(), F.one_hot(labels, 2).bool()
    q = quality[:, None]
    on = cross_entropy(1 - s, q) * (q - (1 - s)).abs() ** 2
    terms = torch.where(positive, on, -((1 - s) ** 2) * s.log())
    loss = build('mmdet.QualityFocalLoss', beta=2.0)
    value = flip(loss, pred, (labels, quality), avg_factor=3.0)
    torch.testing.assert_close(value, terms.sum() / 3)


@pytest.mark.parametrize('kind', ['FocalLoss', 'QualityFocalLoss'])
def test_focal_losses_of_probabilities_are_refused(kind):
    loss = build(f'mmdet.{kind}', activated=True)
    with pytest.raises(ValueError, match=f'{kind} has activated=True'):
        flip(loss, torch.rand(3, 2), torch.tensor([0, 1, 1]))


# Boxes ------------------------------------------------------------------------------------------


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
    loss = build(f'mmdet.{kind.split()[0]}', loss_weight=2.0, **BOX_LOSSES[kind])
    elements = loss(pred, target, reduction_override='none') / 2
    weight = torch.rand(6, 4, dtype=torch.double) if weighted else None
    terms = -torch.log(1 - torch.exp(-elements) / 2)
    if weighted:
        terms = terms * (weight.mean(1) if elements.dim() == 1 else weight)
    expected = 2 * (terms.mean() if avg_factor is None else terms.sum() / avg_factor)
    value = flip(loss, pred, target, weight, avg_factor=avg_factor)
    torch.testing.assert_close(value, expected)


def test_box_losses_keep_the_reduction():
    pred, target = boxes()
    loss = build('mmdet.L1Loss', reduction='sum')
    terms = flip_box_loss((pred - target).abs())
    torch.testing.assert_close(flip(loss, pred, target), terms.sum())
    torch.testing.assert_close(flip(loss, pred, target, reduction_override='none'), terms)
    torch.testing.assert_close(flip(loss, pred, target, reduction_override='mean'), terms.mean())


def test_box_losses_of_nothing():
    pred, target = boxes()
    pred.requires_grad_()
    for kind in ('L1Loss', 'GIoULoss'):
        value = flip(build(f'mmdet.{kind}'), pred, target, torch.zeros(6, 4), avg_factor=0)
        assert value.item() == 0
        assert flip(build(f'mmdet.{kind}', loss_weight=0.0), pred, target).item() == 0


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
    value = flip(build(kind, **options), pred, F.one_hot(labels, 5) if hot else labels)
    value.backward()
    exact = pred.detach().double()
    expected = flip(build(kind, **options), exact, F.one_hot(labels, 5) if hot else labels)
    assert value.item() == pytest.approx(expected.item(), rel=4 * torch.finfo(dtype).eps, abs=1e-4)
    assert pred.grad.isfinite().all()
    assert pred.grad.any()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_boxes_are_finite(dtype):
    pred, target = (b.to(dtype) for b in boxes())
    pred.requires_grad_()
    value = flip(build('mmdet.L1Loss'), pred, target)
    value.backward()
    assert 0 < value.item() <= math.log(2)
    assert pred.grad.isfinite().all()


# Switching on and off ---------------------------------------------------------------------------


SWITCHED = {
    'mmpretrain.CrossEntropyLoss': {},
    'mmpretrain.LabelSmoothLoss': {'label_smooth_val': 0.1, 'num_classes': 5},
    'mmdet.CrossEntropyLoss': {'use_sigmoid': True},
    'mmdet.FocalLoss': {},
    'mmseg.CrossEntropyLoss': {},
}


@pytest.mark.parametrize('kind', SWITCHED)
def test_off_is_the_original_value_bit_for_bit(kind):
    loss = build(kind, **SWITCHED[kind])
    pred, labels = torch.randn(6, 5), torch.arange(6) % 5
    before, attributes = loss(pred, labels), dict(vars(loss))
    assert not torch.equal(flip(loss, pred, labels), before)
    assert torch.equal(loss(pred, labels), before)
    assert vars(loss) == attributes


def test_off_again_after_an_exception_inside():
    losses = [build('mmpretrain.CrossEntropyLoss'), build('mmdet.FocalLoss')]
    pred, labels = torch.randn(6, 5), torch.arange(6) % 5
    before = [loss(pred, labels) for loss in losses]
    with pytest.raises(RuntimeError, match='inside'), flipped(losses):
        losses[0](pred, labels)
        raise RuntimeError('inside')
    for loss, value in zip(losses, before, strict=True):
        assert torch.equal(loss(pred, labels), value)


def test_a_loss_without_flip_leaves_the_others_as_they_were():
    good, bad = build('mmpretrain.CrossEntropyLoss'), nn.HuberLoss()
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
    smooth = build('mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, num_classes=5)
    box = build('mmdet.L1Loss')
    found = find_losses('student', Detector(loss_cls=smooth, loss_bbox=box, other=nn.Linear(1, 1)))
    assert found == {'head.loss_cls': smooth, 'head.loss_bbox': box}


def test_unknown_loss_is_named_with_what_is_allowed():
    model = Detector(loss_cls=build('mmpretrain.SeesawLoss', num_classes=3))
    with pytest.raises(TypeError) as info:
        find_losses('student', model)
    message = str(info.value)
    for word in ("student: loss 'head.loss_cls' is a SeesawLoss", 'CrossEntropyLoss', 'register'):
        assert word in message
    assert '\n' not in message


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
    assert flip(model.head.loss, torch.tensor(3.0), torch.tensor(1.0)).item() == -2


assert mmdet.models and mmpretrain.models and mmseg.models  # imported for their registries
