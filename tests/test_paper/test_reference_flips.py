"""The objective's switches and its preset: what the paper's code does with dense losses."""

import pytest
import torch
from test_models.helpers import build_loss
from torch import nn

from tst_mm.paper import FlippedObjective

pytestmark = pytest.mark.filterwarnings('ignore:Default ``avg_non_ignore``')


def weakness(loss: nn.Module, pred: torch.Tensor, *args, options: dict, **kwargs) -> torch.Tensor:
    """The objective's student term of one loss module."""
    objective = FlippedObjective(**options)
    objective.prepare(nn.ModuleDict({'loss': loss}))
    return objective.flipped_weakness(lambda: loss(pred, *args, **kwargs))


@pytest.mark.parametrize(
    ('p_student', 'value'), [(0.5, 0.6931), (0.1, 0.1054), (0.9, 2.3026), (1 - 1e-14, 18.4207)]
)
@pytest.mark.parametrize('preset', ['recommended', 'paper'])
def test_classification_is_the_same_in_both_presets(preset, p_student, value):
    """``-log(1 - p + 1e-8)``, at most 18.4207."""
    logits = torch.tensor([[p_student, 1 - p_student]], dtype=torch.double).log()
    loss = build_loss('mmpretrain.CrossEntropyLoss')
    found = weakness(loss, logits, torch.tensor([0]), options={'preset': preset})
    assert found.item() == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize('options', [{'boxes': 'negated'}, {'preset': 'paper'}])
@pytest.mark.parametrize('kind', ['L1Loss', 'GIoULoss'])
def test_box_losses_negated(kind, options):
    corner = torch.rand(6, 2) * 10
    target = torch.cat((corner, corner + 5), 1)
    pred = target + torch.rand(6, 4)
    loss, weight = build_loss(f'mmdet.{kind}', loss_weight=2.0), torch.rand(6, 4)
    expected = -loss(pred, target, weight, avg_factor=3.0)
    found = weakness(loss, pred, target, weight, options=options, avg_factor=3.0)
    torch.testing.assert_close(found, expected)
    bounded = weakness(loss, pred, target, weight, options={}, avg_factor=3.0)
    assert bounded > 0 > found


@pytest.mark.parametrize('options', [{'averaging': 'elements'}, {'preset': 'paper'}])
def test_focal_over_all_anchors_and_classes(options):
    torch.manual_seed(0)
    pred, labels = torch.randn(40, 5), torch.full((40,), 5)
    labels[:2] = torch.tensor([1, 3])
    positive = labels[:, None] == torch.arange(5)
    s = pred.sigmoid()
    on, off = -0.25 * s**2 * (1 - s).log(), -0.75 * (1 - s) ** 2 * s.log()
    loss = build_loss('mmdet.FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25)
    found = weakness(loss, pred, labels, options=options, avg_factor=2.0)
    torch.testing.assert_close(found, torch.where(positive, on, off).mean())


@pytest.mark.parametrize('options', [{'averaging': 'elements'}, {'preset': 'paper'}])
def test_softmax_of_maps_is_averaged_over_classes_too(options):
    torch.manual_seed(0)
    pred, labels = torch.randn(2, 19, 4, 6), torch.randint(0, 19, (2, 4, 6))
    loss = build_loss('mmseg.CrossEntropyLoss')
    own = weakness(loss, pred, labels, options={})
    torch.testing.assert_close(weakness(loss, pred, labels, options=options) * 19, own)


def test_each_switch_alone():
    pred, labels = torch.randn(2, 3, 4, 6), torch.randint(0, 3, (2, 4, 6))
    loss = build_loss('mmseg.CrossEntropyLoss')
    own = weakness(loss, pred, labels, options={})
    assert torch.equal(weakness(loss, pred, labels, options={'boxes': 'negated'}), own)
    explicit = {'preset': 'paper', 'averaging': 'own'}
    assert torch.equal(weakness(loss, pred, labels, options=explicit), own)
    objective = FlippedObjective(preset='paper', boxes='bounded')
    assert (objective.boxes, objective.averaging, objective.form) == (
        'bounded',
        'elements',
        'flipped',
    )
