"""Mistakes in a training's config that MMEngine would report late, or in other words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from inspect import signature
from typing import Any

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS
from torch.utils.data import DataLoader

from tst_mm.utils import closest, reject_unknown_keys

#: What MMEngine's ``build_dataloader`` takes beside the arguments of torch's loader.
_LOADER_KEYS = ('num_batch_per_epoch', 'disable_subprocess_warning', 'type', '_scope_')
#: What every optimiser takes as one number; others, such as eps, are pairs for some.
_NUMBERS = ('lr', 'weight_decay')


def check_config(cfg: Config) -> None:
    """Check lengths, loaders and the optimiser of a training.

    Args:
        cfg: The config of the run.

    Raises:
        KeyError: A loader has an unknown key, or the optimiser an unknown type.
        ValueError: A value is not allowed.
    """
    loop = cfg.get('train_cfg') or {}
    for key in ('max_epochs', 'max_iters', 'val_interval'):
        if loop.get(key) is not None:
            _whole_number(f'train_cfg.{key}', loop[key], 1)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if isinstance(cfg.get(name), Mapping):
            check_loader(name, cfg[name])
    wrapper = cfg.get('optim_wrapper')
    if isinstance(wrapper, Mapping) and isinstance(wrapper.get('optimizer'), Mapping):
        _check_optimizer(wrapper['optimizer'], cfg.get('default_scope'))


def check_loader(where: str, loader: Mapping[str, Any]) -> None:
    """Check the config of a loader, or what it has in place of another's.

    Args:
        where: The name of the entry, as the user knows it.
        loader: The config.

    Raises:
        KeyError: A key is unknown.
        ValueError: A number is not allowed.
    """
    known = [key for key in signature(DataLoader).parameters if key not in ('args', 'kwargs')]
    reject_unknown_keys(where, loader, [*known, *_LOADER_KEYS])
    for key, least in (('batch_size', 1), ('num_workers', 0)):
        if loader.get(key) is not None:
            _whole_number(f'{where}.{key}', loader[key], least)


def _check_optimizer(optimizer: Mapping[str, Any], scope: str | None) -> None:
    kind = optimizer.get('type')
    if isinstance(kind, str):
        with OPTIMIZERS.switch_scope_and_registry(scope or 'mmengine') as registry:
            if registry.get(kind) is None:
                known = sorted({*registry.module_dict, *OPTIMIZERS.module_dict})
                raise KeyError(f'optim_wrapper.optimizer.type is {kind!r}; {closest(kind, known)}')
    for key in _NUMBERS:
        value = optimizer.get(key)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not (number and 0 <= value < math.inf):
            raise ValueError(
                f'optim_wrapper.optimizer.{key} is {value!r}; allowed: a number from 0'
            )


def _whole_number(where: str, value: Any, least: int) -> None:
    # MMEngine takes 9e4 iterations too.
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value % 1 == 0
    if not whole or value < least:
        raise ValueError(f'{where} is {value!r}; allowed: whole numbers from {least}')
