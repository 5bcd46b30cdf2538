"""Networks are run without being changed."""

from __future__ import annotations

import pytest
import torch
from mmcv.cnn.bricks import DropPath
from torch import nn

from tst_mm.models.modes import frozen, heads_in_training
from tst_mm.registry import MODELS

from .helpers import assert_same, classifier, noisy_classifier, snapshot, vision_transformer


def densenet():
    config = classifier()
    config['backbone'] = {
        'type': 'mmpretrain.DenseNet',
        'arch': {'growth_rate': 4, 'depths': [1, 1], 'init_channels': 8},
        'drop_rate': 0.5,
    }
    config['head']['in_channels'] = 10
    return config


NOISY = {
    'dropout, drop path, batch norm': noisy_classifier,
    'attention dropout': lambda: vision_transformer(drop=0.5),
    'functional dropout': densenet,
}


@pytest.fixture(params=NOISY)
def model(request):
    return MODELS.build(NOISY[request.param]()).train()


def test_noisy_models_are_noisy(model):
    """The tests below would pass for a model without noise."""
    images = torch.randn(4, 3, 32, 32)
    assert not torch.equal(model(images), model(images))


def test_frozen_is_deterministic_and_changes_nothing(model):
    before, images = snapshot(model), torch.randn(4, 3, 32, 32, requires_grad=True)
    state = torch.get_rng_state()
    with frozen(model):
        first = model(images)
        assert torch.equal(model(images), first)
        first.square().sum().backward()
    assert torch.equal(torch.get_rng_state(), state)
    assert_same(model, before)  # gradients of the weights included: there are none
    assert images.grad.abs().sum() > 0


def test_frozen_computes_what_evaluation_computes(model):
    images = torch.randn(4, 3, 32, 32)
    with frozen(model):
        value = model(images)
    assert torch.equal(model.eval()(images), value)


def test_frozen_keeps_the_flags_of_heads():
    model = MODELS.build(noisy_classifier()).train()
    with frozen(model):
        assert model.training
        assert model.head.training
        assert not model.head.layers[0].norm.training
        assert not model.head.layers[0].dropout.training
        assert not any(p.requires_grad for p in model.parameters())


def test_flags_come_back_after_an_exception(model):
    before = snapshot(model)
    with pytest.raises(RuntimeError, match='inside'), frozen(model):
        raise RuntimeError('inside')
    assert_same(model, before)
    model.eval()
    before = snapshot(model)
    with pytest.raises(RuntimeError, match='inside'), heads_in_training(model):
        raise RuntimeError('inside')
    assert_same(model, before)


def test_frozen_stage_stays_frozen():
    model = MODELS.build(noisy_classifier()).train()
    stage = list(model.backbone.layer1.parameters())
    assert not any(p.requires_grad for p in stage)
    assert not model.backbone.layer1[0].bn1.training
    with frozen(model):
        pass
    assert not any(p.requires_grad for p in stage)
    assert not model.backbone.layer1[0].bn1.training
    assert all(p.requires_grad for p in model.backbone.layer2.parameters())


def test_heads_in_training_leaves_noise_and_statistics_off(model):
    model.eval().requires_grad_(False)
    before, images = snapshot(model), torch.randn(4, 3, 32, 32)
    expected = model(images)
    with heads_in_training(model):
        assert model.training
        assert model.head.training
        assert torch.equal(model(images), expected)
    assert_same(model, before)


@pytest.mark.parametrize(
    'layer',
    [
        nn.BatchNorm2d(2),
        nn.SyncBatchNorm(2),
        nn.InstanceNorm2d(2, track_running_stats=True),
        nn.Dropout(),
        nn.Dropout2d(),
        nn.AlphaDropout(),
        nn.MultiheadAttention(4, 2, dropout=0.1),
        DropPath(0.1),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_that_depend_on_the_mode(layer):
    with frozen(layer.train()):
        assert not layer.training
    assert layer.training
    with heads_in_training(layer.eval()):
        assert not layer.training
