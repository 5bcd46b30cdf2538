"""The diffs from MMRazor's configs: they start from MMRazor's own files and lead to runs."""

import runpy
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hub import get_config
from test_configs.cut import cut_model
from test_models.dense import detection_data, segmentation_data
from test_models.helpers import batch

from test_docs.pages import DOCS, blocks, side
from tst_mm.registry import HOOKS, MODELS

PAGE = DOCS / 'migrate_mmrazor.md'
CONFIGS = Path(*find_spec('mmrazor').submodule_search_locations, '.mim', 'configs', 'distill')
TASKS = {
    'Classification': ('mmcls/kd', {'loss', 'loss_kl'}),
    'Detection': (
        'mmdet/pkd',
        {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'acc', 'loss_bbox', 'loss_pkd_fpn0'},
    ),
    'Segmentation': (
        'mmseg/cwd',
        {'decode.loss_ce', 'decode.acc_seg', 'aux.loss_ce', 'aux.acc_seg', 'loss_cwd'},
    ),
}
DIFFS = dict(zip(TASKS, blocks(PAGE, 'diff'), strict=True))


def of_mmrazor(task):
    """MMRazor's file that the page names, without what it inherits."""
    section = PAGE.read_text(encoding='utf-8').split(f'## {task}\n')[1]
    name = section.split('`')[1]
    return runpy.run_path(str(CONFIGS / TASKS[task][0] / name))


@pytest.mark.parametrize('task', TASKS)
def test_it_starts_from_the_config_of_mmrazor(task):
    shown, original = {}, of_mmrazor(task)
    exec(side(DIFFS[task], '+'), shown)
    for config in (shown, original):
        config['model'].pop('teacher_ckpt')
    if task == 'Detection':  # the page shows one level of four
        for key in ('distill_losses', 'loss_forward_mappings'):
            first = original['model']['distiller'][key]['loss_pkd_fpn0']
            original['model']['distiller'][key] = {'loss_pkd_fpn0': first}
    for key in ('_base_', 'model', 'val_cfg', 'find_unused_parameters'):
        assert shown[key] == original[key], key


@pytest.mark.parametrize('task', TASKS)
def test_it_leads_to_a_run(task):
    config = Config.fromstring(side(DIFFS[task], '-'), '.py')
    for hook in config.custom_hooks:
        HOOKS.build(hook)
    assert config.train_cfg and config.val_evaluator  # what is inherited is found
    config.model.teacher.checkpoint = 'random'
    if task == 'Classification':
        data = batch(4, classes=10)
    else:
        for who in ('student', 'teacher'):
            base = get_config(config.model[who].pop('cfg_path'))
            model = dict(cut_model(base.model), _scope_=base.default_scope)
            config.model[who] = model if who == 'student' else {'model': model}
        config.model.teacher.checkpoint = 'random'
        data = detection_data() if task == 'Detection' else segmentation_data()
    model = MODELS.build(config.model).train()
    with torch.no_grad():
        losses = model(**model.data_preprocessor(data, True), mode='loss')
    assert set(losses) == TASKS[task][1]


def test_the_other_file_that_is_named_exists():
    assert all(list((CONFIGS / folder).glob('*.py')) for folder, _ in TASKS.values())
