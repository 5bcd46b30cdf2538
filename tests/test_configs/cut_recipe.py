"""Cuts recipes on the libraries' own configs to a size that a test can run.

One rule for every kind of network: all widths are an eighth, all depths are one, all images are a
tenth or less. What a config says otherwise stays: losses, heads, pipelines, hooks, the optimiser,
and the learning rate's course, which is pressed together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config

STEPS = 50
#: Where a checkpoint is, to go on from: in front of the last of five stages.
MIDDLE = 40
#: Iterations of an epoch, where a recipe counts in epochs.
PER_EPOCH = 2
BATCH = {'mmdet': 2, 'mmseg': 2, 'mmpretrain': 8}
#: How many images make such an epoch.
IMAGES = {scope: PER_EPOCH * batch for scope, batch in BATCH.items()}

_THINNER = 8
_WIDTHS = (
    'channels',
    'conv_out_channels',
    'embed_dims',
    'fc_out_channels',
    'feat_channels',
    'feedforward_channels',
    'ham_channels',
    'in_channels',
    'num_channels',
    'num_feats',
    'ocr_channels',
    'out_channels',
    'ppm_channels',
)
_DEPTHS = ('depths', 'num_blocks', 'num_branch_blocks', 'num_layers', 'num_modules')
_FEW = {
    'max_per_img': 20,
    'nms_pre': 100,
    'num': 16,  # regions of a sampler
    'num_dn_queries': 4,
    'num_points': 64,
    'num_queries': 10,
}
#: Backbones that name their size are given what the name stands for, cut.
_ARCHES = {
    'ConvNeXt': dict(arch=dict(depths=[1] * 4, channels=[16, 32, 64, 128])),
    'SwinTransformer': dict(
        arch=dict(embed_dims=16, depths=[1] * 4, num_heads=[1, 2, 4, 8]), window_size=2
    ),
    'MobileNetV3': dict(arch='small_050'),
}
_WIDTHS_OF_ARCHES = {'ConvNeXt': 128, 'SwinTransformer': 128, 'MobileNetV3': 288}
_SIZES = (
    'border',
    'crop_size',
    'img_scale',
    'random_size_range',
    'scale',
    'scales',
    'size',
)
#: A network of a few thousand weights learns in fifty steps with other rates than a large one.
#: RTMDet weighs its losses by how well boxes fit: with more they grow before they fall.
_RATES = {'AdamW': 5e-3, 'SGD': 0.01, 'RMSprop': 5e-3, 'YOLOX': 0.03, 'RTMDet': 5e-4}


def cut_recipe(cfg: Config, data_root: str, work_dir: str) -> Config:
    """Small networks, small images, fifty steps, no checkpoint of a teacher, no validation.

    Args:
        cfg: A recipe.
        data_root: Folder of the tiny data set that it trains on.
        work_dir: Folder of the run.
    """
    scope = cfg.default_scope
    cut_data(cfg, data_root, work_dir, side=64)
    cfg.train_dataloader.batch_size = BATCH[scope]
    for who in ('student', 'teacher'):
        model = model_of(cfg, who)
        visit(model, _thinner)
        if scope == 'mmpretrain':
            _cut_classifier(model)
        elif model.backbone.type.startswith('ResNet'):
            model.backbone.update(base_channels=64 // _THINNER)
            if model.backbone.type == 'ResNetV1c':
                model.backbone.stem_channels = 64 // _THINNER
        if 'bbox_head' in model and 'decoder' in model:
            model.bbox_head.embed_dims = 256 // _THINNER
        cfg.model[who] = model if who == 'student' else dict(model=model, checkpoint='random')
    optimizer = cfg.optim_wrapper.optimizer
    optimizer.lr = _RATES.get(cfg.model.student.type, _RATES[optimizer.type])
    _shorten(cfg)
    return cfg


def cut_data(cfg: Config, data_root: str, work_dir: str, side: int = 224) -> Config:
    """Small images only: whole networks with random weights, and no validation.

    Args:
        cfg: A recipe.
        data_root: Folder of the tiny data set that it trains on.
        work_dir: Folder of the run.
        side: Of the images of classifiers, some of which take no smaller ones than 224.
    """
    scope = cfg.default_scope
    for who in ('student', 'teacher'):
        model = model_of(cfg, who)
        visit(model, _without_files)
        if 'num_queries' in model:  # a small image has fewer places to choose from
            model.num_queries = min(model.num_queries, 20)
        visit(model, _few_proposals)
        cfg.model[who] = model if who == 'student' else dict(model=model, checkpoint='random')
    loader = cfg.train_dataloader
    loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    loader.pin_memory = False
    smaller = _smaller(224 / side)
    if scope == 'mmseg':
        smaller = _smaller(cfg.crop_size[0] / 64)
    elif scope == 'mmdet':
        smaller = _smaller(max(10, cfg.get('image_size', [0])[0] / 64))
    else:
        loader.collate_fn = dict(type='default_collate')
    nodes = [loader.dataset, cfg.get('custom_hooks'), cfg.get('data_preprocessor')]
    nodes += [cfg.model.student.get('data_preprocessor')]
    nodes += [cfg.model.teacher.model.get('data_preprocessor')]
    for i, node in enumerate(nodes):  # one may stand in two places
        if not any(node is other for other in nodes[:i]):
            visit(node, smaller)
    visit(loader.dataset, lambda node: 'data_root' in node and node.update(data_root=data_root))
    for key in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            cfg[f'{key}_{part}'] = None
    cfg.log_level = 'ERROR'
    cfg.randomness = dict(seed=0)
    cfg.work_dir = work_dir
    return cfg


def model_of(cfg: Config, who: str) -> ConfigDict:
    """The model dictionary of student or teacher, whatever way the recipe names it."""
    entry = cfg.model[who]
    if 'model' in entry:
        return entry.model
    if 'cfg_path' not in entry:
        return ConfigDict(entry, _scope_=cfg.default_scope)
    base = get_config(entry.cfg_path)
    changes = {k: v for k, v in entry.items() if k not in ('cfg_path', 'checkpoint')}
    model = ConfigDict(Config._merge_a_into_b(ConfigDict(changes), base.model))
    if 'data_preprocessor' in base:
        model.setdefault('data_preprocessor', base.data_preprocessor)
    model['_scope_'] = base.default_scope
    return model


def _few_proposals(node: dict) -> None:
    """What a small image has of them; more would take most of a step."""
    for key in ('max_per_img', 'nms_pre', 'num_points'):
        if isinstance(node.get(key), int):
            node[key] = min(node[key], _FEW[key])


def visit(node: Any, change: Callable[[dict], Any]) -> None:
    """Change all dictionaries inside, outer ones first."""
    if isinstance(node, dict):
        change(node)
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            visit(child, change)


def _cut_classifier(model: ConfigDict) -> None:
    if 'backbone' not in model:
        model.model_name = 'regnety_002'  # the smallest of its kind in timm
        return
    kind = model.backbone.type
    if kind == 'ResNet':
        model.backbone.update(base_channels=8, stem_channels=8)
        return  # the width of its head is an eighth, as all are
    model.backbone.update(_ARCHES[kind])
    model.head.in_channels = _WIDTHS_OF_ARCHES[kind]


def _thinner(node: dict[str, Any]) -> None:
    for key in _WIDTHS:
        if key in node and node[key] != 3:  # the colours of an image stay three
            node[key] = _each(node[key], lambda width: width / _THINNER)
    for key in _DEPTHS:
        if key in node:
            node[key] = _each(node[key], lambda depth: 1)
    if 'widen_factor' in node:
        node.update(widen_factor=node['widen_factor'] / _THINNER, deepen_factor=0.1)
    for key, most in _FEW.items():
        if isinstance(node.get(key), int):
            node[key] = min(node[key], most)


def _without_files(node: dict[str, Any]) -> None:
    init = node.get('init_cfg')
    if isinstance(init, dict) and init.get('type') == 'Pretrained':
        node['init_cfg'] = None
    if isinstance(node.get('pretrained'), str):
        node['pretrained'] = None
    if node.get('type') == 'SyncBN':
        node['type'] = 'BN'


def _smaller(times: float) -> Callable[[dict], None]:
    def change(node: dict[str, Any]) -> None:
        for key in _SIZES:
            if node.get(key) is not None:
                node[key] = _each(node[key], lambda size: size / times)

    return change


def _each(value: Any, change: Callable[[float], float]) -> Any:
    """Change a number, or all numbers in sequences; whole numbers stay whole."""
    if isinstance(value, (list, tuple)):
        return type(value)(_each(part, change) for part in value)
    return round(change(value)) if isinstance(value, int) else change(value)


def _shorten(cfg: Config) -> None:
    """Press the schedule into fifty steps: what counts epochs, and what counts iterations."""
    epochs = cfg.train_cfg.get('max_epochs')
    end = STEPS // PER_EPOCH if epochs else STEPS
    share = end / (epochs or cfg.train_cfg.max_iters)
    loop = 'EpochBasedTrainLoop' if epochs else 'IterBasedTrainLoop'
    cfg.train_cfg = {'type': loop, 'max_epochs' if epochs else 'max_iters': end}

    def shorter(value: float, by_epoch: bool) -> float:
        if by_epoch:
            return value and max(1, value * share)
        # A warm-up takes at least a few iterations; with one, a rate would stay where it starts.
        return value and (5 if epochs else max(5, value * share))

    schedulers = cfg.param_scheduler
    for entry in schedulers if isinstance(schedulers, list) else [schedulers]:
        by_epoch = entry.get('by_epoch', True)
        for key in ('begin', 'end', 'T_max', 'milestones', 'step_size'):
            if key in entry:
                entry[key] = _each(entry[key], lambda value, by=by_epoch: shorter(value, by))
    for hook in cfg.custom_hooks:
        for key in ('switch_epoch', 'num_last_epochs'):
            if key in hook:
                hook[key] = _each(hook[key], lambda value: shorter(value, True))
    cfg.custom_hooks.append(dict(type='tst_mm.FirstBatchHook'))
    cfg.default_hooks.checkpoint = dict(
        type='CheckpointHook', by_epoch=bool(epochs), interval=end * MIDDLE // STEPS
    )
    cfg.default_hooks.pop('visualization', None)
