"""Cuts the shipped classification configs to a size that a test can run."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config

ROOT = Path(__file__).resolve().parents[2]
SIDE = {'CIFAR100': 16, 'ImageNet': 32}  # of the images, in pixels
BATCH = 4
#: Networks of the same kind and depth; what is left out is width only.
_NARROW = {
    'CIFARResNet': {'stem_channels': 4, 'base_channels': 4},
    'CIFARWideResNet': {'widen_factor': 1},
    'ResNet': {'stem_channels': 8, 'base_channels': 8},
}
_CHANNELS = {'CIFARResNet': 16, 'CIFARWideResNet': 64, 'ResNet': 64}


def cut_classification(cfg: Config, data_roots: dict[str, str], work_dir: str) -> Config:
    """Narrow networks, small images, one step of each kind, no checkpoint, no validation.

    Args:
        cfg: A shipped config.
        data_roots: Folders of tiny data sets by the type of their class.
        work_dir: Folder of the run.
    """
    if 'teacher' in cfg.model:
        path = cfg.model.teacher.cfg_path
        cfg.model.teacher = dict(model=cut_classifier(_teacher(path)), checkpoint='random')
        cfg.model.student = cut_classifier(cfg.model.student)
    else:
        cfg.model = cut_classifier(cfg.model)
    loader = cfg.train_dataloader
    loader.update(batch_size=BATCH, num_workers=0, persistent_workers=False)
    loader.collate_fn = dict(type='default_collate')
    _cut_dataset(loader.dataset, data_roots)
    for key in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            cfg[f'{key}_{part}'] = None
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=1)
    for hook in cfg.get('custom_hooks') or []:
        if hook.get('stages') != [] and 'AlternatingSchedule' in hook.type:
            hook.update(by_epoch=False, stages=[dict(begin=0, iters=1)])
    cfg.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    cfg.log_level = 'WARNING'
    cfg.work_dir = work_dir
    return cfg


def cut_classifier(model: ConfigDict) -> ConfigDict:
    """The same classifier with few channels; VGG, MobileNet and ShuffleNet are small enough."""
    model = deepcopy(model)
    kind = model.backbone.type.removeprefix('tst_mm.')
    if kind in _NARROW:
        model.backbone.update(_NARROW[kind])
        expansion = 4 if model.backbone.depth == 50 else 1
        model.head.in_channels = _CHANNELS[kind] * expansion
    return model


@cache
def _teacher(path: str) -> ConfigDict:
    return (get_config(path) if '::' in path else Config.fromfile(ROOT / path)).model


def _cut_dataset(dataset: Any, data_roots: dict[str, str]) -> None:
    for part in dataset.get('datasets', []):
        _cut_dataset(part, data_roots)
    if 'dataset' in dataset:
        _cut_dataset(dataset.dataset, data_roots)
    if 'data_root' in dataset:
        dataset.data_root = data_roots[dataset.type]
        for transform in dataset.pipeline:
            for key in ('crop_size', 'scale'):
                if key in transform:
                    transform[key] = SIDE[dataset.type]
