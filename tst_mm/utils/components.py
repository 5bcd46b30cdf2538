"""Building a component from a config, with errors that name the entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tst_mm.registry import MODELS

from .errors import closest, reject_unknown_arguments, require_mapping


def build_component(where: str, config: Mapping[str, Any]) -> Any:
    """Build a component of the registry ``MODELS``.

    Args:
        where: The name of the config entry, for errors.
        config: The config: ``type``, by name or class, and the arguments.

    Raises:
        KeyError: A type or an argument is unknown; the error names the closest allowed one.
        TypeError: ``config`` is no dictionary.
    """
    require_mapping(where, config)
    kind = config.get('type')
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if not callable(found):
        names = [f'tst_mm.{name}' for name in MODELS.module_dict]
        raise KeyError(f'{where} has type {kind!r}; {closest(str(kind), names)}')
    reject_unknown_arguments(where, config, found)
    return MODELS.build(config)
