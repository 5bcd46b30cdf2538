"""Taking the student out of a checkpoint, as an ordinary OpenMMLab checkpoint."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.config import Config

from tst_mm.registry import MODELS

#: What stands before the student's keys: in our checkpoints, and in those of MMRazor.
PREFIXES = ('student.', 'architecture.')
_META = ('epoch', 'iter', 'seed', 'experiment_name', 'time', 'mmengine_version', 'dataset_meta')


def student_checkpoint(checkpoint: Mapping[str, Any], config: str | None = None) -> dict[str, Any]:
    """The student of a distillation checkpoint, as plain mmpretrain, mmdet or mmseg would save it.

    Where an EMA hook was at work its averages are taken, as MMEngine keeps them in place of the
    weights.

    Args:
        checkpoint: As written by MMEngine for a model with a ``student`` (tst_mm) or an
            ``architecture`` (MMRazor).
        config: Text of the student's config (:func:`student_config`), to be kept as
            ``meta['cfg']``. The one in the checkpoint is not read, since reading executes it.

    Returns:
        ``state_dict`` without prefix, and ``meta`` with the classes and the progress. Plain types
        and tensors only.

    Raises:
        ValueError: When there is no student inside.
    """
    weights = checkpoint.get('state_dict', checkpoint)
    if not isinstance(weights, Mapping):
        raise ValueError(f'the checkpoint has no weights: its state_dict is a {type(weights)}')
    weights = {str(key): value for key, value in weights.items()}
    prefixes = [prefix for prefix in PREFIXES if any(key.startswith(prefix) for key in weights)]
    if not prefixes:
        found = sorted({key.split('.')[0] for key in weights})
        raise ValueError(
            f'the checkpoint has no student: its entries begin with {", ".join(found[:8])}; '
            f'allowed: {", ".join(PREFIXES)}'
        )
    prefix = prefixes[0]
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    kept = {key: _plain(meta[key]) for key in _META if key in meta}
    if config is not None:
        kept['cfg'] = config
    return {
        'meta': kept,
        'state_dict': {
            key.removeprefix(prefix): value
            for key, value in weights.items()
            if key.startswith(prefix)
        },
    }


def student_config(config: Config) -> str | None:
    """The text of a distillation run's config as one of its student alone.

    Args:
        config: Of the run.

    Returns:
        The config with the student as ``model`` and without hooks of tst_mm; None when the
        student's model dictionary does not stand in the config.
    """
    model = config.get('model') or {}
    keys = [key for key in map(_without_dot, PREFIXES) if key in model]
    if not keys or not isinstance(model[keys[0]], Mapping) or 'type' not in model[keys[0]]:
        return None
    entries = config.to_dict()
    entries['model'] = entries['model'][keys[0]]
    # Asked of the config itself: in the plain copy a class of a pure Python config is a string.
    hooks = config.get('default_hooks') or {}
    entries['default_hooks'] = {
        name: entries['default_hooks'][name] for name in hooks if not _is_ours(hooks.get(name))
    }
    hooks = config.get('custom_hooks') or []
    entries['custom_hooks'] = [
        entries['custom_hooks'][index] for index, hook in enumerate(hooks) if not _is_ours(hook)
    ]
    return Config(entries).pretty_text


def _without_dot(prefix: str) -> str:
    return prefix.removesuffix('.')


def _is_ours(component: Any) -> bool:
    """Whether a config builds something of tst_mm, by name, by scope or by class, or out of it."""
    if not isinstance(component, Mapping):
        return False
    kind, ours = component.get('type'), MODELS.scope
    if isinstance(kind, type):
        return any(base.__module__.startswith(f'{ours}.') for base in kind.__mro__)
    return component.get('_scope_') == ours or str(kind).startswith(f'{ours}.')


def _plain(value: Any) -> Any:
    """Types that ``torch.load(weights_only=True)`` accepts."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
