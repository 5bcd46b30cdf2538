"""The flip of binary and focal losses in closed form."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from test_models.helpers import build_loss
from torch import Tensor

from .helpers import flip_loss

pytestmark = pytest.mark.filterwarnings('ignore:Default ``avg_non_ignore``')


def cross_entropy(p: Tensor, target: Tensor) -> Tensor:
    return -(target * p.log() + (1 - target) * (1 - p).log())


def test_binary_cross_entropy_with_the_other_targets():
    pred, target = torch.randn(6, 5), torch.randint(0, 2, (6, 5)).float()
    loss = build_loss('mmpretrain.CrossEntropyLoss', use_sigmoid=True)
    arguments = {'weight': torch.rand(6), 'avg_factor': 4.0}
    torch.testing.assert_close(
        flip_loss(loss, pred, target, **arguments), loss(pred, 1 - target, **arguments)
    )
    soft = torch.rand(6, 5)
    torch.testing.assert_close(flip_loss(loss, pred, soft), loss(pred, 1 - soft))


def test_weights_of_positives_stay_with_the_positives():
    pred, target = torch.randn(6, 2), torch.randint(0, 2, (6, 2)).float()
    loss = build_loss('mmpretrain.CrossEntropyLoss', use_sigmoid=True, pos_weight=[3.0, 0.5])
    weight = torch.where(target > 0, torch.tensor([3.0, 0.5]), torch.ones(2))
    expected = (weight * cross_entropy(pred.sigmoid(), 1 - target)).mean()
    torch.testing.assert_close(flip_loss(loss, pred, target), expected)


def test_multi_label_smoothing():
    pred, target = torch.randn(6, 5), torch.randint(0, 2, (6, 5)).float()
    loss = build_loss(
        'mmpretrain.LabelSmoothLoss',
        label_smooth_val=0.1,
        num_classes=5,
        mode='multi_label',
        use_sigmoid=True,
    )
    expected = cross_entropy(1 - pred.sigmoid(), target * 0.8 + 0.1).mean()
    torch.testing.assert_close(flip_loss(loss, pred, target), expected)


@pytest.mark.parametrize('library', ['mmdet', 'mmseg'])
def test_binary_cross_entropy_of_indices(library):
    """Label 5 of 5 classes is mmdet's background; 255 is ignored."""
    labels = torch.tensor([0, 2, 4, 255, 1, 5 if library == 'mmdet' else 3])
    pred, weight = torch.randn(6, 5), torch.rand(6)
    target = F.one_hot(labels.clamp(max=5), 6)[:, :5].float()
    weights = (weight * (labels != 255))[:, None]
    expected = (weights * cross_entropy(pred.sigmoid(), 1 - target)).sum() / 4.0
    loss = build_loss(f'{library}.CrossEntropyLoss', use_sigmoid=True)
    value = flip_loss(loss, pred, labels, weight, avg_factor=4.0, ignore_index=255)
    torch.testing.assert_close(value, expected)


def test_mask_loss_is_binary_though_it_has_channels_of_classes():
    pred, labels = torch.randn(4, 3, 5, 5), torch.tensor([0, 2, 1, 1])
    target = torch.randint(0, 2, (4, 5, 5)).float()
    value = flip_loss(build_loss('mmdet.CrossEntropyLoss', use_mask=True), pred, target, labels)
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
    loss = build_loss(f'{library}.FocalLoss', gamma=gamma, alpha=alpha, loss_weight=0.7)
    value = flip_loss(loss, pred, positive.long() if multi_hot else labels, avg_factor=5.0)
    expected = 0.7 * focal_terms(pred, positive, gamma, alpha).sum() / 5
    torch.testing.assert_close(value, expected)
    mean = flip_loss(loss, pred, positive.long() if multi_hot else labels)
    torch.testing.assert_close(mean, expected * 5 / 12)


def test_focal_loss_without_focus_is_half_of_binary_cross_entropy():
    pred, labels = torch.randn(6, 2), torch.tensor([0, 1, 1, 0, 1, 0])
    focal = build_loss('mmdet.FocalLoss', gamma=0.0, alpha=0.5)
    binary = build_loss('mmdet.CrossEntropyLoss', use_sigmoid=True)
    torch.testing.assert_close(flip_loss(focal, pred, labels), flip_loss(binary, pred, labels) / 2)


def test_focal_negatives_together_weigh_as_much_as_positives():
    """Label 3 of 3 classes is background; the second anchor is ignored by its weight."""
    pred, labels = torch.randn(5, 3), torch.tensor([0, 1, 3, 3, 2])
    weight = torch.tensor([1.0, 0.0, 1.0, 2.0, 0.5])
    positive = F.one_hot(labels, 4)[:, :3].bool()
    terms = focal_terms(pred, positive, 2.0, 0.25) * weight[:, None]
    share = 1.5 / (3 * weight.sum() - 1.5)
    value = flip_loss(build_loss('mmdet.FocalLoss'), pred, labels, weight, avg_factor=2.0)
    expected = (terms[positive].sum() + share * terms[~positive].sum()) / 2
    torch.testing.assert_close(value, expected)


def test_focal_loss_of_background_only_is_nothing():
    pred = torch.randn(5, 3, requires_grad=True)
    value = flip_loss(build_loss('mmdet.FocalLoss'), pred, torch.full((5,), 3), avg_factor=1)
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
    loss = build_loss('mmdet.QualityFocalLoss', beta=2.0)
    value = flip_loss(loss, pred, (labels, quality), avg_factor=3.0)
    torch.testing.assert_close(value, terms.sum() / 3)


@pytest.mark.parametrize('kind', ['FocalLoss', 'QualityFocalLoss'])
def test_focal_losses_of_probabilities_are_refused(kind):
    loss = build_loss(f'mmdet.{kind}', activated=True)
    with pytest.raises(ValueError, match=f'{kind} has activated=True'):
        flip_loss(loss, torch.rand(3, 2), torch.tensor([0, 1, 1]))
