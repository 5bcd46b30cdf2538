"""Cuts shipped configs to a size that a test can run; what they say otherwise stays."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config

WIDTHS = [8, 16, 32, 64]  # of a ResNet-18 with base_channels=8
CHANNELS = 32  # of everything behind the backbone; FCOS normalises in 32 groups
SIZE = (64, 128)  # height, width of the images

_WIDE = (
    'in_channels',
    'out_channels',
    'feat_channels',
    'channels',
    'fc_out_channels',
    'conv_out_channels',
)
_FEW = {'nms_pre': 100, 'max_per_img': 20, 'num': 16}


def cut_config(cfg: Config, data_root: str, work_dir: str) -> Config:
    """Small networks, small images, one step of each kind, no checkpoint, no validation.

    Args:
        cfg: A shipped config.
        data_root: Folder of a tiny data set in the layout that the config expects.
        work_dir: Folder of the run.
    """
    if 'teacher' in cfg.model:
        teacher = get_config(cfg.model.teacher.cfg_path)
        scope = teacher.default_scope
        cfg.model.teacher = dict(model=dict(cut_model(teacher.model), _scope_=scope))
        cfg.model.teacher.checkpoint = 'random'
        cfg.model.student = cut_model(cfg.model.student)
    else:
        cfg.model = cut_model(cfg.model)
    loader = cfg.train_dataloader
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset.data_root = data_root
    _visit(loader.dataset.pipeline, _cut_transform)
    for key in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            cfg[f'{key}_{part}'] = None
    key = 'max_epochs' if 'max_epochs' in cfg.train_cfg else 'max_iters'
    cfg.train_cfg = dict(type=cfg.train_cfg.type, **{key: 1})
    for hook in cfg.get('custom_hooks') or []:
        if hook.get('stages') != [] and 'AlternatingSchedule' in hook.type:
            hook.stages = [dict(begin=0, iters=1)]
    cfg.default_hooks.checkpoint.interval = 1
    cfg.default_hooks.pop('visualization')
    cfg.work_dir = work_dir
    return cfg


def cut_model(model: ConfigDict) -> ConfigDict:
    """A model of the same kind, tens of thousands of parameters instead of tens of millions."""
    model = ConfigDict(model)
    _visit(model, _cut_module)
    backbone = model.backbone
    if backbone.type == 'MobileNetV2':
        backbone.widen_factor = 0.25
        widths = {3: 80, 2: 24}
    else:
        backbone.type = backbone.type.replace('ResNeXt', 'ResNet')
        backbone.update(depth=18, base_channels=WIDTHS[0])
        for key in ('groups', 'base_width'):
            backbone.pop(key, None)
        if backbone.type == 'ResNetV1c':
            backbone.stem_channels = WIDTHS[0]
        widths = dict(enumerate(WIDTHS))
    if 'neck' in model:
        model.neck.in_channels = WIDTHS
    for head in ('decode_head', 'auxiliary_head'):
        if head in model:
            model[head].in_channels = widths[model[head].in_index]
    if 'size' in model.data_preprocessor:
        model.data_preprocessor.size = SIZE
    return model


def _cut_module(node: dict[str, Any]) -> None:
    if node.get('type') == 'Pretrained':
        node.clear()
        node['type'] = 'Normal'
    if node.get('type') == 'SyncBN':
        node['type'] = 'BN'
    if node.get('pretrained'):
        node['pretrained'] = None
    for key in _WIDE:
        if isinstance(node.get(key), int) and node[key] > CHANNELS:
            node[key] = CHANNELS
    for key, most in _FEW.items():
        if isinstance(node.get(key), int):
            node[key] = min(node[key], most)


def _cut_transform(node: dict[str, Any]) -> None:
    if 'scale' in node:
        node['scale'] = SIZE[::-1]
    if 'scales' in node:
        node['scales'] = [SIZE[::-1]]
    if 'crop_size' in node:
        node['crop_size'] = SIZE


def _visit(node: Any, change: Any) -> None:
    """Change all dicts inside, outer ones first."""
    if isinstance(node, dict):
        change(node)
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            _visit(child, change)
