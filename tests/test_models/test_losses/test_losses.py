"""Distillation losses against closed forms."""

from __future__ import annotations

import math

import torch
from torch import nn

from tst_mm.models import BinaryKLDivergence, PixelKLDivergence
from tst_mm.models.losses import AnchorKLDivergence, PearsonFeatureLoss


def test_softmax_of_anchors_ignores_what_all_classes_share():
    loss = AnchorKLDivergence(channels=4)
    levels = [torch.randn(2, 12, 5, 6), torch.randn(2, 12, 3, 3)]
    others = [level + torch.randn_like(level) for level in levels]
    shifted = [level + 3 for level in others]
    value = loss(others, levels)
    assert value > 0
    torch.testing.assert_close(loss(shifted, levels), value)
    assert abs(loss(shifted, [level + 7 for level in others])) < 1e-4


def test_one_anchor_has_its_closed_form():
    """p_t = (0.8, 0.2), the last one background; p_s uniform: KL over 0.8^2, at least over 1."""
    target = torch.tensor([0.8, 0.2]).log().view(1, 2, 1, 1)
    kl = 0.8 * math.log(1.6) + 0.2 * math.log(0.4)
    value = AnchorKLDivergence(channels=2)([torch.zeros(1, 2, 1, 1)], [target])
    assert math.isclose(value, kl, rel_tol=1e-5)


def test_probabilities_give_what_their_logits_give():
    student, teacher = torch.randn(2, 3, 4, 4, requires_grad=True), torch.randn(2, 3, 4, 4)
    expected = BinaryKLDivergence()(student, teacher)
    found = BinaryKLDivergence(activated=True)(student.sigmoid(), teacher.sigmoid())
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    sure = torch.ones(1, 1, 1, 1, requires_grad=True)
    BinaryKLDivergence(activated=True)(sure, torch.zeros(1, 1, 1, 1)).backward()
    assert sure.grad.isfinite().all()


def test_one_channel_is_a_binary_divergence():
    """p_t = 0.5, p_s = 0.8: KL = log(0.5 / sqrt(0.8 * 0.2))."""
    student = torch.full((2, 1, 3, 3), math.log(4), requires_grad=True)
    loss = PixelKLDivergence(use_sigmoid=True)
    value = loss(student, torch.zeros(2, 1, 3, 3))
    assert math.isclose(value.item(), math.log(0.5 / 0.4), rel_tol=1e-5)
    assert abs(loss(student, student)) < 1e-6
    value.backward()
    assert (student.grad > 0).all()


def test_correlation_of_features():
    loss, maps = PearsonFeatureLoss(), torch.randn(2, 3, 6, 7)
    assert abs(loss(maps, maps * 5 + 2)) < 1e-5
    assert math.isclose(loss(maps, -maps), 2, rel_tol=1e-5)
    other = torch.randn(2, 3, 6, 7)
    r = [
        torch.corrcoef(torch.stack((maps[:, c].flatten(), other[:, c].flatten())))[0, 1]
        for c in range(3)
    ]
    torch.testing.assert_close(loss(maps, other), 1 - torch.stack(r).mean())


def test_correlation_of_dead_channels_and_single_places_has_numbers():
    features = nn.Parameter(torch.zeros(1, 2, 1, 1))
    PearsonFeatureLoss()(features, torch.ones(1, 2, 1, 1)).backward()
    assert features.grad.isfinite().all()


def test_the_teachers_map_is_resized():
    student = torch.randn(1, 2, 8, 8)
    teacher = nn.functional.avg_pool2d(student, 2)
    assert PearsonFeatureLoss()(student, teacher) < 1
