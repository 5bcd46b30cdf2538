"""The configs for data of one's own: read, built, and one pass over such data."""

import json
import runpy
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DATASETS, init_default_scope
from mmengine.runner import Runner
from PIL import Image

from test_docs.pages import DOCS, ROOT, named_blocks
from tst_mm.registry import HOOKS, MODELS

PAGE = DOCS / 'get_started.md'
CONFIGS = named_blocks(PAGE)


def write_image(path, size=(96, 64), mode='RGB', most=256):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0], 3)[: 3 if mode == 'RGB' else 2]
    values = np.random.default_rng(0).integers(0, most, shape, dtype=np.uint8)
    Image.fromarray(values).save(path)


def write_pictures(folder, monkeypatch):
    for name in 'abcde':
        for i in range(4):
            write_image(folder / f'source/{name}/{i}.png')
    arguments = ['--source', folder / 'source', '--out', folder / 'data/pictures']
    monkeypatch.setattr(sys, 'argv', ['image_folder.py', *map(str, arguments)])
    runpy.run_path(str(ROOT / 'tools/data/image_folder.py'), run_name='__main__')


def write_coco(folder, monkeypatch):
    for split in ('train', 'val'):
        write_image(folder / f'data/mine/{split}/0.png')
        boxes = [[10, 10, 40, 30], [30, 20, 50, 40]]
        content = dict(
            images=[dict(id=0, file_name='0.png', width=96, height=64)],
            categories=[dict(id=1, name='cat'), dict(id=2, name='dog')],
            annotations=[
                dict(id=i, image_id=0, category_id=i + 1, bbox=box, area=box[2] * box[3], iscrowd=0)
                for i, box in enumerate(boxes)
            ],
        )
        path = folder / f'data/mine/annotations/instances_{split}.json'
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))


def write_label_maps(folder, monkeypatch):
    for split in ('train', 'val'):
        write_image(folder / f'data/fields/img_dir/{split}/0.png')
        write_image(folder / f'data/fields/ann_dir/{split}/0.png', mode='L', most=3)


TASKS = {
    'classification': ('my_tst.py', 'my_student.py', write_pictures, {'loss', 'loss_kd'}),
    'detection': (
        'my_tst_detector.py',
        'my_detector.py',
        write_coco,
        {'loss_cls', 'loss_bbox', 'loss_kd', *(f'loss_mimic_p{level}' for level in range(5))},
    ),
    'segmentation': (
        'my_tst_segmentor.py',
        'my_segmentor.py',
        write_label_maps,
        {
            'decode.loss_ce',
            'decode.acc_seg',
            'aux.loss_ce',
            'aux.acc_seg',
            'loss_kd',
            'loss_kd_aux',
        },
    ),
}


def make_small(config):
    """Smaller images; networks and everything else stay what they are."""
    for transform in config.train_dataloader.dataset.pipeline:
        if transform['type'] in ('Resize', 'RandomResize'):
            transform['scale'] = (96, 64)
        if transform['type'] == 'RandomResizedCrop':
            transform['scale'] = 64
        if 'crop_size' in transform:
            transform['crop_size'] = (64, 96)
    if config.default_scope == 'mmseg':
        config.model.student.data_preprocessor.size = (64, 96)


@pytest.mark.parametrize('task', TASKS)
def test_own_data_from_config_to_losses(task, tmp_path, monkeypatch):
    name, plain, write_data, expected = TASKS[task]
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path, monkeypatch)
    for file, text in CONFIGS.items():
        (tmp_path / file).write_text(text)
    config = Config.fromfile(name)
    init_default_scope(config.default_scope)
    for hook in config.custom_hooks:
        HOOKS.build(hook)
    make_small(config)
    data = DATASETS.build(config.train_dataloader.dataset)
    assert len(DATASETS.build(config.val_dataloader.dataset)) > 0
    assert config.test_dataloader == config.val_dataloader
    Runner.build_evaluator(Runner, config.val_evaluator)

    config.model.teacher.checkpoint = 'random'
    data_preprocessor = config.get('data_preprocessor')
    model = MODELS.build({**config.model, 'data_preprocessor': data_preprocessor})
    model = revert_sync_batchnorm(model).train()
    batch = model.data_preprocessor(pseudo_collate([data[0], data[len(data) - 1]]), True)
    with torch.no_grad():
        losses = model(**batch, mode='loss')
    assert set(losses) == expected
    student = MODELS.build(Config.fromfile(plain).model)
    assert student.state_dict().keys() == model.student.state_dict().keys()
    weights = [len(list(part.parameters())) for part in (model.teacher.model, model.student)]
    assert weights[0] > weights[1]


def test_classes_are_those_that_are_shown():
    assert 'here five classes' in PAGE.read_text() and 'num_classes=5' in CONFIGS['my_student.py']
