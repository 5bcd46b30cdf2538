"""The order of the channels in memory, and nothing else, is another."""

from types import SimpleNamespace

import torch
from torch import nn

from tst_mm.engine.hooks import ChannelsLastHook


def test_weights_and_outputs_are_reordered_and_stay_the_same():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3))
    images = torch.randn(2, 2, 9, 9)
    before, weights = model(images), list(model.parameters())
    ChannelsLastHook().before_train(SimpleNamespace(model=model))
    assert all(one is other for one, other in zip(weights, model.parameters(), strict=True))
    after = model(images)
    torch.testing.assert_close(after, before)
    assert after.is_contiguous(memory_format=torch.channels_last)
    assert not before.is_contiguous(memory_format=torch.channels_last)
