"""A dry run tells where tensors come from and leaves no trace."""

from __future__ import annotations

import copy
import random

import numpy as np
import torch

from tst_mm.models.distillers.dry_run import DryRun, Level, Source, dry_runs
from tst_mm.registry import MODELS

from ..helpers import assert_same, classifier, noisy_classifier, snapshot, vision_transformer


def build(config):
    return MODELS.build(copy.deepcopy(config))


def test_nothing_changes():
    """Weights, statistics, flags, attributes, hooks and random states."""
    model = build(noisy_classifier()).train()
    before, attributes = snapshot(model), set(vars(model))
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    assert dry_runs([model]) is not None
    assert_same(model, before)
    assert set(vars(model)) == attributes
    assert not any(module._forward_hooks for module in model.modules())
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]


def test_logits_come_from_the_innermost_module():
    run = DryRun(build(classifier()), (32, 32))
    assert run.source(run.result) == Source('head.fc')
    assert run.source(torch.zeros_like(run.result)) is None
    assert run.levels() == [Level('backbone', 0, 16, (8, 8))]


def test_scaled_cosines_come_with_their_factor():
    config = classifier()
    config['head'] = dict(
        type='mmpretrain.ArcFaceClsHead',
        num_classes=4,
        in_channels=16,
        scale=30.0,
        loss=dict(type='mmpretrain.CrossEntropyLoss'),
    )
    run = DryRun(build(config), (32, 32))
    source = run.source(run.result)
    assert (source.module, source.index) == ('head.norm_product', None)
    assert abs(source.factor - 30) < 1e-2


def test_a_size_that_all_networks_take():
    """Of the transformer with position embeddings for 32 pixels."""
    runs = dry_runs([build(classifier()), build(vision_transformer())])
    assert [run.size for run in runs] == [(32, 32), (32, 32)]
    assert dry_runs([build(classifier())], sides=[]) is None
