"""Building operators from a config."""

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
    """Build the operators of an augmenter.

    Args:
        operators: The operators, as names or as dicts with ``type`` and arguments.
        ranges: The physical value at magnitude 1, or a dict of arguments, by the name of the
            operator.

    Raises:
        KeyError: An operator, an argument or a range is unknown.
        TypeError: An entry is neither a name nor a dictionary.
        ValueError: A name occurs twice, or a value is outside what is allowed.
    """
    built: list[Operator] = []
    left = dict(ranges)
    for entry in operators:
        if not isinstance(entry, str):
            require_mapping('operator', entry)
        config: dict[str, Any] = {'type': entry} if isinstance(entry, str) else dict(entry)
        name = config.pop('type', None)
        # OPERATORS.get would import modules in search of a name that it does not know.
        kind = OPERATORS.module_dict.get(name) if isinstance(name, str) else None
        if kind is None:
            raise KeyError(f'unknown operator {name!r}; {closest(name, OPERATORS.module_dict)}')
        if kind.__name__ in left:
            value = left.pop(kind.__name__)
            config.update(value if isinstance(value, Mapping) else {'limit': value})
        parameters = inspect.signature(kind).parameters
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values()):
            reject_unknown_keys(f'operator {name}', config, parameters)
        # OPERATORS.build would warn when the default scope of a config is another library.
        built.append(kind(**config))
    by_name = {operator.name: operator for operator in built}
    for name in left:
        if name in by_name:
            raise ValueError(
                f'ranges has {name!r}, which is a {type(by_name[name]).__name__} here and knows no '
                f'other range than {by_name[name].limit:g}; allowed: arguments of that operator'
            )
        raise KeyError(f'ranges has no operator {name!r}; {closest(name, by_name)}')
    names = [operator.name for operator in built]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f'operators lists {sorted(repeated)} twice; allowed: each name once')
    return built
