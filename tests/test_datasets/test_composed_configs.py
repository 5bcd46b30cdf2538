"""The shipped dataset configs on data made by the shipped tools, read by mmdet and mmseg."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from preparation.cutouts import CLASSES

ROOT = Path(__file__).parents[2]
NAMES = {
    'composed_coco': 'coco',
    'composed_coco_instance': 'coco',
    'composed_cityscapes': 'cityscapes',
}


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder with ``data/composed_coco`` and ``data/composed_cityscapes`` in it."""
    folder = tmp_path_factory.mktemp('composed')
    main = runpy.run_path(str(ROOT / 'tools/data/composed_scenes.py'))['main']
    for form in ('coco', 'cityscapes'):
        out = f'{folder}/data/composed_{form}'
        main(['--format', form, '--train', '40', '--val', '6', '--out', out])
    return folder


@pytest.fixture(params=NAMES)
def config(request, data, monkeypatch):
    """One of the configs, in a folder where it finds its data."""
    monkeypatch.chdir(data)
    init_default_scope('mmseg' if NAMES[request.param] == 'cityscapes' else 'mmdet')
    return Config.fromfile(ROOT / f'configs/_base_/datasets/{request.param}.py')


def test_loaders_and_evaluator_are_built(config):
    train = Runner.build_dataloader(config.train_dataloader, seed=0)
    val = Runner.build_dataloader(config.val_dataloader)
    assert (len(train.dataset), len(val.dataset)) == (40, 6)
    for loader in (train, val):
        classes = loader.dataset.metainfo['classes']
        assert classes[-len(CLASSES) :] == CLASSES
        batch = next(iter(loader))
        height, width = batch['inputs'][0].shape[1:]
        assert (height, width) in ((96, 96), (80, 160))
        sample = batch['data_samples'][0]
        if 'gt_sem_seg' in sample:
            values = set(np.unique(sample.gt_sem_seg.data))
            assert values <= {*range(6), 255} and sample.gt_sem_seg.shape == (height, width)
        else:
            assert sample.gt_instances.labels.max() < len(CLASSES)
            assert sample.gt_instances.bboxes.tensor.max() <= max(height, width)
    assert Evaluator(config.val_evaluator).metrics


@pytest.mark.parametrize('config', ['composed_coco_instance'], indirect=True)
def test_masks_agree_with_boxes(config):
    config.train_dataloader.dataset.pipeline.pop(3)  # the flip
    dataset = Runner.build_dataloader(config.train_dataloader).dataset
    crowds = 0
    for i in range(len(dataset)):
        sample = dataset[i]['data_samples']
        for part in (sample.gt_instances, sample.ignored_instances):
            if len(part):
                boxes = part.masks.get_bboxes('hbox').tensor
                assert (boxes - part.bboxes.tensor).abs().max() <= 1
        crowds += len(sample.ignored_instances)
    assert crowds > 0


def test_splits_share_no_item(data):
    """Training scenes come from training items only, validation scenes from test items."""
    for form in ('coco', 'cityscapes'):
        sources = json.loads((data / f'data/composed_{form}/sources.json').read_text())
        assert {key: len(scenes) for key, scenes in sources.items()} == dict(train=40, val=6)
        train = {item for scene in sources['train'].values() for item in scene}
        assert max(train) >= 2000  # of 6000: not the 2000 test items
    tools = runpy.run_path(str(ROOT / 'tools/data/composed_scenes.py'))
    assert tools['ITEMS'] == dict(train='train', val='test')


def test_more_scenes_change_none(data, tmp_path):
    main = runpy.run_path(str(ROOT / 'tools/data/composed_scenes.py'))['main']
    main(['--train', '3', '--val', '1', '--out', str(tmp_path / 'out')])
    for name in ('train/000002.png', 'val/000000.png'):
        old = data / 'data/composed_coco' / name
        assert (tmp_path / 'out' / name).read_bytes() == old.read_bytes()
    main(['--train', '1', '--val', '1', '--seed', '1', '--out', str(tmp_path / 'other')])
    name = 'train/000000.png'
    assert (tmp_path / 'other' / name).read_bytes() != (tmp_path / 'out' / name).read_bytes()
