"""Everything that models, optimisers and generators hold, by name, to see what has changed."""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_CLOSED = (type, FunctionType, MethodType, BuiltinFunctionType, ModuleType, logging.Logger)
#: Where a module keeps its parts; they go by their own names.
_PARTS = ('_parameters', '_buffers', '_modules')
#: Objects below objects that are looked into.
_DEPTH = 4


def state_of(**roots: Any) -> dict[str, Any]:
    """Copies of all values that are reached from somewhere, by dotted names.

    That is more than a checkpoint has, and more than what is put back after a forward pass: plain
    attributes of modules, of the objects that these hold, and of those that they hold.

    Args:
        roots: Modules, containers, any objects, by the name that theirs begin with.
    """
    taken: dict[int, Any] = {}
    return {
        name: value
        for root, held in roots.items()
        for name, value in _walk(root, held, taken, _DEPTH)
    }


def random_states() -> dict[str, Any]:
    """The states of the global generators, by name."""
    states = {'python': random.getstate(), 'numpy': np.random.get_state()}
    states['torch'] = torch.get_rng_state()
    if torch.cuda.is_available():
        states['cuda'] = torch.cuda.get_rng_state()
    return states


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names whose values differ, bit for bit, or that one of two states lacks."""
    names = dict.fromkeys([*before, *after])
    return [n for n in names if n not in before or n not in after or not _same(before[n], after[n])]


def _walk(name: str, value: Any, taken: dict[int, Any], depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, _PLAIN):
        yield name, value
        return
    if id(value) in taken or isinstance(value, _CLOSED):
        return
    taken[id(value)] = value  # held, so that ids stay theirs
    if isinstance(value, Tensor):
        if not is_lazy(value):
            yield name, value.detach().clone()
            yield f'{name}.requires_grad', value.requires_grad
    elif isinstance(value, (np.ndarray, np.generic)):
        yield name, value.copy()
    elif isinstance(value, torch.Generator):
        yield name, value.get_state()
    elif isinstance(value, Mapping):
        for key, item in list(value.items()):
            yield from _walk(f'{name}.{key}', item, taken, depth)
    elif isinstance(value, (list, tuple, deque)):
        yield f'{name}.length', len(value)
        for i, item in enumerate(value):
            yield from _walk(f'{name}.{i}', item, taken, depth)
    elif isinstance(value, (set, frozenset)):
        yield name, {repr(item) for item in value}
    elif isinstance(value, nn.Module):
        for key, item in list(vars(value).items()):
            parts = item.items() if key in _PARTS else [(key, item)]
            for part, held in list(parts):
                yield from _walk(f'{name}.{part}', held, taken, depth)
    elif hasattr(value, '__dict__') and depth:
        for key, item in list(vars(value).items()):
            yield from _walk(f'{name}.{key}', item, taken, depth - 1)


def _same(old: Any, new: Any) -> bool:
    if type(old) is not type(new):
        return False
    if isinstance(old, Tensor):
        alike = (old.shape, old.dtype, old.device) == (new.shape, new.dtype, new.device)
        # What is no number equals itself here.
        return alike and bool(((old == new) | ((old != old) & (new != new))).all())
    if isinstance(old, (np.ndarray, np.generic)):
        return np.array_equal(old, new, equal_nan=np.asarray(old).dtype.kind in 'fc')
    return old == new or (old != old and new != new)
