"""A config of a library, changed to a data set of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import DATASETS

from tst_mm.datasets.layouts import Layout

#: The keys of a data set's entry that belong to its transforms and to how it is read.
_KEPT = ('pipeline', 'backend_args', 'serialize_data', 'lazy_init')
#: The keys that hold a number of classes.
_COUNTS = ('num_classes', 'num_things_classes')


def use_data(cfg: Config, layout: Layout, folder: Path) -> None:
    """Let a config read a data set in place of its own.

    The transforms stay; data sets, evaluators, the number of classes, and what follows from it
    become those of the data set.

    Args:
        cfg: The config of a plain training; it is changed.
        layout: The data set.
        folder: The folder that lists may be written to.

    Raises:
        ValueError: The config is of another library than the data set, or reads its data in a way
            that files cannot take the place of.
    """
    scope = cfg.get('default_scope')
    if scope != layout.library:
        raise ValueError(
            f'data: {layout.root} is {layout.kind}, for {layout.library}; the config is of {scope}'
        )
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader is None:
            continue
        part = 'train' if split == 'train' else 'val'
        loader.dataset = _replace(loader.dataset, ConfigDict(layout.dataset(part, folder)))
        _take_any_labels(loader.dataset)
        if cfg.get(f'{split}_evaluator') is not None:
            _set_evaluator(cfg, f'{split}_evaluator', layout.evaluator(part))
    set_classes(cfg, len(layout.classes))


def own_classes(cfg: Config) -> list[str]:
    """The names of the classes of the data set that a config itself reads; empty if unknown.

    Args:
        cfg: The config of a plain training.
    """
    entry = cfg.train_dataloader.dataset
    while 'dataset' in entry or 'datasets' in entry:
        entry = entry.dataset if 'dataset' in entry else entry.datasets[0]
    name = entry.type if '.' in entry.type else f'{cfg.default_scope}.{entry.type}'
    kind = DATASETS.get(name)
    return list(getattr(kind, 'METAINFO', {}).get('classes', ()))


def set_classes(cfg: Config, count: int) -> None:
    """Set the number of classes wherever a config of a plain training says it.

    Args:
        cfg: The config; it is changed.
        count: The number of classes.

    Raises:
        ValueError: The config does not say a number of classes, or has things and stuff.
    """
    before = count_classes(cfg.model)
    if before is None:
        raise ValueError(f'the model of the config has none of {", ".join(_COUNTS)} to set')

    def change(node: dict[str, Any]) -> None:
        if node.get('num_stuff_classes'):
            raise ValueError('a panoptic model (num_stuff_classes) cannot take classes of a folder')
        for key in _COUNTS:
            # A second number in one model, such as the one class of a proposal head, is its own.
            if node.get(key) == before:
                node[key] = count
        if 'num_classes' in node and node.get('out_channels') == before:
            node['out_channels'] = count
        if isinstance(node.get('topk'), (tuple, list)):
            node['topk'] = tuple(k for k in node['topk'] if k <= count) or (1,)
        weights = node.get('class_weight')
        if isinstance(weights, list) and len(weights) == before + 1:
            node['class_weight'] = [1.0] * count + weights[-1:]  # the last is for nothing at all
        elif isinstance(weights, list) and len(weights) == before and count != before:
            node['class_weight'] = None  # measured on other classes

    parts = ('model', 'data_preprocessor', 'val_evaluator', 'test_evaluator')
    for key in parts:
        if cfg.get(key) is not None:
            _visit(cfg[key], change)


def count_classes(model: dict[str, Any]) -> int | None:
    """The number of classes of a model's config: the largest that it says; None without one.

    Args:
        model: The entry ``model`` of a config.
    """
    found: list[int] = []

    def look(node: dict[str, Any]) -> None:
        found.extend(node[key] for key in _COUNTS if isinstance(node.get(key), int))

    heads = [model[key] for key in model if key not in ('backbone', 'neck', 'pretrained')]
    _visit(heads, look)
    return max(found, default=None)


def _visit(node: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """Go through all dictionaries inside."""
    if isinstance(node, dict):
        change(node)
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            _visit(child, change)


def _replace(entry: ConfigDict, own: ConfigDict) -> ConfigDict:
    """Put a data set in the place of the innermost one; wrappers and transforms stay."""
    if 'dataset' in entry:
        entry.dataset = _replace(entry.dataset, own)
        return entry
    if 'datasets' in entry:
        return _replace(entry.datasets[0], own)
    kept = {key: entry[key] for key in _KEPT if key in entry}
    if 'pipeline' in kept and not any(_loads(t) for t in kept['pipeline']):
        kept['pipeline'] = _loading(kept['pipeline'])
    return ConfigDict({**own, **kept})


def _loads(transform: dict[str, Any]) -> bool:
    return str(transform.get('type', '')).split('.')[-1].startswith('LoadImage')


def _loading(pipeline: list[Any]) -> list[Any]:
    """Read images from files, where a config has them in memory, all of one size."""
    sizes = [t['crop_size'] for t in pipeline if 'crop_size' in t]
    crop = sizes[0] if sizes else 32  # what CIFAR has, whose configs are those that load nothing
    side = crop if isinstance(crop, int) else max(crop)
    load = [ConfigDict(type='LoadImageFromFile')]
    return [*load, ConfigDict(type='Resize', scale=(side, side)), *pipeline]


def _take_any_labels(entry: ConfigDict) -> None:
    """Drop what a transform knows of the data set that was there before."""

    def change(node: dict[str, Any]) -> None:
        if str(node.get('type', '')).split('.')[-1] == 'LoadAnnotations':
            node.pop('reduce_zero_label', None)

    _visit(entry, change)


def _set_evaluator(cfg: Config, key: str, own: dict[str, Any]) -> None:
    """Adapt an evaluator of the same type, replace another."""
    entry = cfg[key]
    kind = own['type'].split('.')[-1]
    if not isinstance(entry, dict) or str(entry.get('type', '')).split('.')[-1] != kind:
        cfg[key] = ConfigDict(own)
    elif kind == 'CocoMetric':
        entry.ann_file = own['ann_file']
