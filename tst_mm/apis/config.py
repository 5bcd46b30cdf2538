"""From a plain training to a distillation: the config, and the file that keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config

from tst_mm.models.build import read_config
from tst_mm.utils import closest

#: The distiller for the task of a config, by the library that the config comes from.
DISTILLERS = {
    'mmpretrain': 'tst_mm.ClassificationDistiller',
    'mmdet': 'tst_mm.DetectionDistiller',
    'mmseg': 'tst_mm.SegmentationDistiller',
}


def plain_config(what: str, address: str) -> Config:
    """Read the config of a plain training.

    Args:
        what: What the config is, for errors (``'student'``).
        address: The address (``'mmdet::...'``) or the file.

    Raises:
        FileNotFoundError: There is no such config.
        KeyError: It is no config of a plain training.
        ValueError: There is no distiller for its library.
    """
    if '::' in address:
        _check_library(what, address.split('::')[0])
    try:
        cfg = read_config(what, address)
    except FileNotFoundError as error:
        if '::' not in address:
            raise
        raise FileNotFoundError(f'{what}: no config {address!r}; {_near(address)}') from error
    check_plain(what, cfg)
    return cfg


def check_plain(what: str, cfg: Config) -> None:
    """Check that a config is that of a plain training that can be distilled.

    Args:
        what: What the config is, for errors (``'student'``).
        cfg: The config.

    Raises:
        KeyError: It is no config of a plain training.
        ValueError: There is no distiller for its library.
    """
    scope = cfg.get('default_scope')
    if scope not in DISTILLERS:
        raise ValueError(f'{what}: default_scope is {scope!r}; {closest(str(scope), DISTILLERS)}')
    if 'model' not in cfg or 'student' in cfg.model:
        raise KeyError(f'{what} needs the config of a plain training, with the {what} as "model"')


def add_distillation(
    cfg: Config,
    teacher: Mapping[str, Any],
    augmenter: Mapping[str, Any] | None,
    batch_mode: str | float = 'adaptive',
    stages: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
) -> None:
    """Put the model of a config into a distiller, and add the search of the policy.

    Args:
        cfg: The config of the student's plain training; it is changed.
        teacher: The arguments of :class:`tst_mm.models.FrozenTeacher`.
        augmenter: The arguments of :class:`tst_mm.augment.LearnedAugmenter`; None for plain
            distillation.
        batch_mode: The part of a batch that is augmented. Defaults to ``'adaptive'``.
        stages: The stages of the search. Defaults to None, the default of the hook.
    """
    scope = cfg.default_scope
    cfg.model = ConfigDict(
        type=DISTILLERS[scope],
        student={**cfg.model, '_scope_': scope},
        teacher=teacher,
        batch_mode=batch_mode,
    )
    hooks = list(cfg.get('custom_hooks') or [])
    if augmenter is not None:
        cfg.model.augmenter = {'type': 'tst_mm.LearnedAugmenter', **augmenter}
        given = {} if stages is None else {'stages': stages}
        hooks.append({'type': 'tst_mm.AlternatingScheduleHook', **given})
    cfg.custom_hooks = hooks
    # For the training scripts of other libraries, which do not import tst_mm by themselves.
    imports = cfg.setdefault('custom_imports', ConfigDict(imports=[]))
    imports.imports = list(dict.fromkeys([*imports.imports, 'tst_mm']))


def published_weights(address: str) -> str | None:
    """The address of the weights that a library publishes for a config; None where it has none.

    Args:
        address: The address of the config; a file has none.
    """
    if '::' not in address:
        return None
    try:
        return get_config(address, pretrained=True).get('model_path')
    except (AssertionError, OSError, KeyError, ValueError):
        return None


def write_config(path: Path, cfg: Config, base: str, comment: str) -> None:
    """Write what a config changes of the one that it comes from, as a file to read and to edit.

    Args:
        path: The file.
        cfg: The config.
        base: The address or the path of the config that it comes from.
        comment: What stands at the head of the file, a line or several.
    """
    before = read_config('config', base).to_dict()
    after = cfg.to_dict()
    changed = {
        key: {'_delete_': True, **value} if isinstance(value, dict) and key in before else value
        for key, value in after.items()
        if key not in before or before[key] != value
    }
    gone = {key: None for key in before if key not in after}
    inherited = base if '::' in base else str(Path(base).resolve())
    head = [*(f'# {line}' for line in comment.splitlines()), f'_base_ = [{inherited!r}]']
    text = Config({**changed, **gone}).pretty_text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join([*head, '', text]), encoding='utf-8')


def _check_library(what: str, library: str) -> None:
    """Refuse a library that there is not; MMEngine would set out to install it."""
    if library not in (*DISTILLERS, 'tst_mm'):
        raise ValueError(f'{what}: unknown library {library!r}; {closest(library, DISTILLERS)}')
    if find_spec(library) is None:
        raise ValueError(f'{what}: {library} is not installed; `tst info` says what is')


def _near(address: str) -> str:
    """The configs of a library that are called like an address."""
    library, name = address.split('::', 1)
    spec = find_spec(library)
    folders = (spec.submodule_search_locations if spec else None) or []
    configs = [Path(folder, '.mim', 'configs') for folder in folders]
    there = [
        path.relative_to(folder).as_posix()
        for folder in configs
        for path in sorted(folder.glob(f'{Path(name).parent}/*.py') or folder.glob('*/*.py'))
    ]
    if not there:
        return f'allowed: a config below {configs[0] if configs else library}'
    return closest(name, there[:400]).partition(' allowed: ')[0]
