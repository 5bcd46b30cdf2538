"""The frozen teacher: weights from nowhere, and those of another library."""

import pytest
import torch
from torch import nn

from tst_mm.models import FrozenTeacher
from tst_mm.registry import MODELS

from .helpers import classifier


def test_random_weights_are_the_initial_ones():
    """Some are set only then (DETR's level embeddings); what a file would give is left out."""

    class Embedded(type(MODELS.build(classifier()))):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.embedding = nn.Parameter(torch.full((3,), torch.nan))

        def init_weights(self):
            super().init_weights()
            nn.init.ones_(self.embedding)

    with MODELS.switch_scope_and_registry('mmpretrain') as registry:
        registry.register_module(module=Embedded, force=True)
    config = {**classifier(), 'type': 'mmpretrain.Embedded'}
    config['backbone'] = {
        **config['backbone'],
        'init_cfg': {'type': 'Pretrained', 'checkpoint': 'nowhere.pth'},
    }
    assert FrozenTeacher({'model': config, 'checkpoint': 'random'}).model.embedding.tolist() == [
        1,
        1,
        1,
    ]


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
