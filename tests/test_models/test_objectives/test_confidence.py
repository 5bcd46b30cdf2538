"""Confidence is read off the loss, as it is called."""

from __future__ import annotations

import pytest
import torch

from tst_mm.models.objectives import Confidence

from ..helpers import build_loss


def test_mean_probability_of_the_true_class():
    loss, labels = build_loss('mmpretrain.CrossEntropyLoss'), torch.tensor([0, 4, 2])
    pred = torch.randn(3, 5, requires_grad=True)
    with Confidence(loss, 5) as confidence:
        loss(pred, labels)
    p = pred.softmax(1)[range(3), labels]
    assert confidence.value.item() == pytest.approx(p.mean().item())
    assert confidence.value.shape == ()
    assert not confidence.value.requires_grad


def test_background_and_ignored_do_not_count():
    loss = build_loss('mmdet.CrossEntropyLoss')
    pred, labels = torch.randn(5, 4), torch.tensor([0, 3, 255, -1, 2])
    with Confidence(loss, 3) as confidence:
        loss(pred, labels.clamp(0, 3))
        first = confidence.value
        confidence._watch(loss, (pred, labels))
    p = pred.softmax(1)
    assert first.item() == pytest.approx((p[0, 0] + p[3, 0] + p[4, 2]).item() / 3)
    total = p[0, 0] + p[3, 0] + p[4, 2] + p[0, 0] + p[4, 2]
    assert confidence.value.item() == pytest.approx(total.item() / 5)


def test_label_maps():
    loss = build_loss('mmseg.CrossEntropyLoss', avg_non_ignore=True)
    pred, labels = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    labels[0] = 255
    with Confidence(loss, 3) as confidence:
        loss(pred, labels, ignore_index=255)
    p = pred.softmax(1)[1].gather(0, labels[1][None])
    assert confidence.value.item() == pytest.approx(p.mean().item())


def test_soft_labels_weigh():
    loss = build_loss('mmpretrain.CrossEntropyLoss', use_soft=True)
    pred, target = torch.randn(3, 5), torch.rand(3, 5).softmax(1)
    with Confidence(loss, 5) as confidence:
        loss(pred, target)
    expected = (pred.softmax(1) * target).sum(1).mean()
    assert confidence.value.item() == pytest.approx(expected.item())


def test_several_labels():
    loss = build_loss('mmpretrain.CrossEntropyLoss', use_sigmoid=True)
    pred, target = torch.randn(2, 3), torch.tensor([[1.0, 0, 1], [0, 0, 1]])
    with Confidence(loss, 3) as confidence:
        loss(pred, target)
    expected = pred.sigmoid()[target > 0].mean()
    assert confidence.value.item() == pytest.approx(expected.item())


def test_label_smoothing_counts_the_label_only():
    loss = build_loss('mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, num_classes=5)
    pred, labels = torch.randn(3, 5), torch.tensor([0, 4, 2])
    with Confidence(loss, 5) as confidence:
        loss(pred, labels)
    p = pred.softmax(1)[range(3), labels]
    assert confidence.value.item() == pytest.approx(p.mean().item())


def test_labels_with_qualities():
    loss = build_loss('mmdet.QualityFocalLoss')
    pred, labels = torch.randn(4, 3), torch.tensor([0, 3, 2, 1])
    with Confidence(loss, 3) as confidence:
        loss(pred, (labels, torch.rand(4)))
    s = pred.sigmoid()
    assert confidence.value.item() == pytest.approx((s[0, 0] + s[2, 2] + s[3, 1]).item() / 3)


def test_mean_over_all_calls_and_none_after_closing():
    loss = build_loss('mmpretrain.CrossEntropyLoss')
    one, two = torch.randn(3, 5), torch.randn(1, 5)
    with Confidence(loss, 5) as confidence:
        loss(one, torch.tensor([0, 1, 2]))
        loss(two, torch.tensor([3]))
    expected = (one.softmax(1)[range(3), range(3)].sum() + two.softmax(1)[0, 3]) / 4
    assert confidence.value.item() == pytest.approx(expected.item())
    loss(one, torch.tensor([4, 4, 4]))
    assert confidence.value.item() == pytest.approx(expected.item())
    assert not loss._forward_pre_hooks


def test_nothing_counted_is_zero():
    loss = build_loss('mmdet.CrossEntropyLoss')
    with Confidence(loss, 3) as confidence:
        assert confidence.value.item() == 0
        loss(torch.randn(2, 4), torch.tensor([3, 3]))
    assert confidence.value.item() == 0


def test_half_precision_is_summed_in_full():
    loss = build_loss('mmpretrain.CrossEntropyLoss')
    pred, labels = torch.randn(4096, 5), torch.zeros(4096, dtype=torch.long)
    with Confidence(loss, 5) as confidence:
        loss(pred.half(), labels)
    assert confidence.value.item() == pytest.approx(pred.softmax(1)[:, 0].mean().item(), rel=1e-4)


def test_hook_is_gone_after_an_exception():
    loss = build_loss('mmpretrain.CrossEntropyLoss')
    with pytest.raises(RuntimeError, match='inside'), Confidence(loss, 5):
        raise RuntimeError('inside')
    assert not loss._forward_pre_hooks


def test_a_histogram_counts_what_the_mean_is_of():
    loss, labels = build_loss('mmdet.CrossEntropyLoss'), torch.tensor([0, 1, 2, 1])
    pred = torch.tensor([[9.0, 0, 0], [0, 9.0, 0], [0, 0, 9.0], [9.0, 0, 0]])
    with Confidence(loss, 2, bins=4) as confidence:  # the third is background
        loss(pred, labels)
        loss(pred[:1], labels[:1])
    assert confidence.histogram.tolist() == [1, 0, 0, 3]


def test_one_channel_tells_two_classes():
    """Ignored pixels do not count; the loss is called with maps, with a channel or without."""
    loss = build_loss('mmseg.CrossEntropyLoss', use_sigmoid=True)
    pred = torch.tensor([-6.0, 2.0, 1.0, 0.0]).reshape(1, 1, 2, 2)
    labels = torch.tensor([0, 1, 0, 255]).reshape(1, 2, 2)
    expected = (torch.tensor([6.0, 2.0, -1.0]).sigmoid()).mean()
    for target in (labels, labels[:, None]):
        confidence = Confidence(loss, 2)
        confidence._watch(loss, (pred, target))
        torch.testing.assert_close(confidence.value, expected)


@pytest.mark.parametrize(
    'args',
    [
        (torch.zeros(2, 3),),
        (torch.zeros(2, 3), torch.zeros(5).long()),
        (torch.zeros(4), torch.zeros(4).long()),
        ([torch.zeros(2, 3)], torch.zeros(2).long()),
    ],
)
def test_calls_of_another_form_do_not_count(args):
    confidence = Confidence(build_loss('mmpretrain.CrossEntropyLoss'), 3)
    confidence._watch(None, args)
    assert confidence.value == 0
