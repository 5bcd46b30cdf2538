"""The frozen teacher: weights from nowhere, and those of another library."""

import pytest
import torch
from torch import nn

from tst_mm.models import FrozenTeacher
from tst_mm.registry import MODELS

from .helpers import classifier


@pytest.mark.parametrize('memory', [torch.nan, torch.inf, 1e30])
def test_weights_that_are_never_set_are_drawn(memory):
    """As the level embeddings of DETRs, which ``init_weights`` sets; a teacher has none."""
    network = MODELS.build(classifier())
    network.embedding = nn.Parameter(torch.full((3,), memory))
    before = network.head.fc.weight.clone()
    teacher = FrozenTeacher({'model': network, 'checkpoint': 'random'}).model
    assert teacher.embedding.abs().max() < 10
    assert torch.equal(teacher.head.fc.weight, before)


def test_weights_of_timm(tmp_path):
    timm = pytest.importorskip('timm')
    network = timm.create_model('regnety_002')
    path = str(tmp_path / 'regnety_002.pth')
    torch.save(network.state_dict(), path)
    config = {'type': 'mmpretrain.TimmClassifier', 'model_name': 'regnety_002'}
    teacher = FrozenTeacher({'model': config, 'checkpoint': path})
    assert torch.equal(teacher.model.model.head.fc.weight, network.head.fc.weight)
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(teacher.model(images), network.eval()(images))
