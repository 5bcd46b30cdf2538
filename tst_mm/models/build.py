"""Building a model of any OpenMMLab library from a config path or a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config
from torch import nn

from tst_mm.registry import MODELS


def build_model(
    what: str,
    config: Mapping[str, Any] | nn.Module,
    data_preprocessor: Mapping[str, Any] | None = None,
    instead: bool = False,
) -> nn.Module:
    """Build a model from what its config entry says.

    Args:
        what: The name of the config entry, for errors (``'student'``).
        config: A model dictionary; or ``dict(cfg_path=...)`` with ``'mmdet::path.py'`` or a file,
            whose ``model`` is taken, any further keys overriding its entries; or a built module.
        data_preprocessor: The preprocessor of a model that has none, as mmpretrain's configs keep
            it beside the model. Defaults to None.
        instead: Whether that preprocessor also takes the place of the one that the config of
            ``cfg_path`` has. Defaults to False.

    Raises:
        FileNotFoundError: The config file does not exist.
        KeyError: The config has no model.
        TypeError: ``config`` is none of the above.
    """
    if isinstance(config, nn.Module):
        return config
    if not isinstance(config, Mapping) or not {'type', 'cfg_path'} & config.keys():
        raise TypeError(
            f'{what} is {config!r}; allowed: a model dictionary with "type", or one with '
            f'"cfg_path" ("mmdet::faster_rcnn/....py" or a file)'
        )
    model = ConfigDict(config)
    if 'cfg_path' in model:
        path = model.pop('cfg_path')
        base = read_config(what, path)
        if 'model' not in base:
            raise KeyError(f'{what}: config {path!r} has no "model"')
        if data_preprocessor and instead:
            base.model.data_preprocessor = ConfigDict(data_preprocessor)
        elif 'data_preprocessor' in base:
            # mmpretrain's configs have it beside the model, where only their own tools look.
            base.model.setdefault('data_preprocessor', base.data_preprocessor)
        elif data_preprocessor:
            base.model.setdefault('data_preprocessor', ConfigDict(data_preprocessor))
        scope = base.get('default_scope', 'mmengine')
        model = ConfigDict(Config._merge_a_into_b(model, base.model))
        model.setdefault('_scope_', scope)
    elif data_preprocessor:
        model.setdefault('data_preprocessor', data_preprocessor)
    return MODELS.build(model)


def read_config(what: str, path: str) -> Config:
    """Read the config of an installed library (``'mmdet::...'``) or of a file.

    Args:
        what: The name of the config entry, for errors.
        path: The address or the path of the config.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if '::' in path:
        return get_config(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f'{what}: no config file {path!r} (from {Path.cwd()})')
    return Config.fromfile(path)
