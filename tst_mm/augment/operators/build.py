"""Operators from a config."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from tst_mm.registry import OPERATORS
from tst_mm.utils import closest, reject_unknown_keys, require_mapping

from .base import Operator


def build_operators(
    operators: Sequence[str | Mapping[str, Any]],
    ranges: Mapping[str, float | Mapping[str, Any]],
) -> list[Operator]:
    """Build operators.

    Args:
        operators: Names, or dicts with ``type`` and arguments.
        ranges: By name a physical value at magnitude 1, or arguments.

    Raises:
        KeyError: Unknown operator, argument or range.
        TypeError: An entry is neither a name nor a dictionary.
        ValueError: A name twice, or a value outside what is allowed.
    """
    built: list[Operator] = []
    left = dict(ranges)
    for entry in operators:
        if not isinstance(entry, str):
            require_mapping('operator', entry)
        config: dict[str, Any] = {'type': entry} if isinstance(entry, str) else dict(entry)
        name = config.pop('type', None)
        # Not OPERATORS.get, which imports what a name it does not know may mean.
        kind = OPERATORS.module_dict.get(name) if isinstance(name, str) else None
        if kind is None:
            raise KeyError(f'unknown operator {name!r}; {closest(name, OPERATORS.module_dict)}')
        if kind.__name__ in left:
            value = left.pop(kind.__name__)
            config.update(value if isinstance(value, Mapping) else {'limit': value})
        parameters = inspect.signature(kind).parameters
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values()):
            reject_unknown_keys(f'operator {name}', config, parameters)
        # Not OPERATORS.build, which warns when a config's default scope is another library.
        built.append(kind(**config))
    own = {operator.name: operator for operator in built}
    for name in left:
        if name in own:
            raise ValueError(
                f'ranges has {name!r}, which is a {type(own[name]).__name__} here and knows no '
                f'other range than {own[name].limit:g}; allowed: arguments of that operator'
            )
        raise KeyError(f'ranges has no operator {name!r}; {closest(name, own)}')
    names = [operator.name for operator in built]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f'operators lists {sorted(repeated)} twice; allowed: each name once')
    return built
