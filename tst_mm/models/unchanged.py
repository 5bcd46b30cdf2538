"""Running a network so that afterwards everything about it is what it was."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

#: Attributes of a module that hold other things than its own state.
_PARTS = ('_parameters', '_modules', '_buffers')


@contextmanager
def unchanged(*models: nn.Module) -> Iterator[None]:
    """Put back what a forward pass may change in models, and all random generators.

    That is every buffer, every attribute that is a number, a text, a tensor or a container of
    these (thresholds, histories, counters, sizes drawn for a batch), and the state of Python's,
    numpy's and torch's generators. Weights must not change: nothing trains inside.

    Args:
        models: They may share parts.

    Raises:
        RuntimeError: A forward pass wrote into a weight, which cannot be put back; it is named.
    """
    modules = {id(m): m for model in models for m in model.modules()}.values()
    undo: list[Callable[[], None]] = []
    for module in modules:
        undo += [_put_back_tensor(b) for b in module._buffers.values() if b is not None]
        undo.append(_put_back_attributes(module))
    versions = [
        (name, weight, weight._version)
        for model in models
        for name, weight in model.named_parameters()
    ]
    with generators_kept():
        try:
            yield
        finally:
            for put_back in undo:
                put_back()
    for name, weight, version in versions:
        if weight._version != version:
            raise RuntimeError(
                f'{name} is written in a forward pass without gradient; allowed: models that '
                'change only buffers and attributes then'
            )


@contextmanager
def generators_kept() -> Iterator[None]:
    """Put the global random generators back to where they are now, whatever is drawn inside."""
    host, numbers = random.getstate(), np.random.get_state()
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        random.setstate(host)
        np.random.set_state(numbers)


def _put_back_tensor(tensor: Tensor) -> Callable[[], None]:
    """What gives a tensor its present values back, where they changed."""
    kept, version = tensor.detach().clone(), tensor._version

    def put_back() -> None:
        if tensor._version != version:
            with torch.no_grad():
                tensor.copy_(kept)

    return put_back


def _put_back_attributes(module: nn.Module) -> Callable[[], None]:
    """What gives a module its present attributes back; new ones are removed."""
    buffers = dict(module._buffers)
    kept = {
        name: (value, _put_back(value))
        for name, value in vars(module).items()
        if name not in _PARTS and _is_plain(value)
    }
    names = set(vars(module))

    def put_back() -> None:
        module._buffers.update(buffers)
        for name in [name for name in vars(module) if name not in names]:
            if _is_plain(vars(module)[name]):
                del vars(module)[name]
        for name, (value, restore) in kept.items():
            restore()
            vars(module)[name] = value

    return put_back


def _put_back(value: Any) -> Callable[[], None]:
    """What gives a value its present content back, in place."""
    if isinstance(value, Tensor):
        return _put_back_tensor(value)
    if isinstance(value, np.ndarray):
        array = value.copy()
        return lambda: np.copyto(value, array)
    if isinstance(value, (list, deque, dict, set)):
        items = list(value.items()) if isinstance(value, dict) else list(value)
        inner = [_put_back(item[1] if isinstance(value, dict) else item) for item in items]

        def put_back() -> None:
            for restore in inner:
                restore()
            now = list(value.items()) if isinstance(value, dict) else list(value)
            if not _same(now, items):
                value.clear()
                if isinstance(value, (list, deque)):
                    value.extend(items)
                else:
                    value.update(items)

        return put_back
    if isinstance(value, tuple):
        parts = [_put_back(item) for item in value]

        def put_back_parts() -> None:
            for restore in parts:
                restore()

        return put_back_parts
    return lambda: None


def _same(now: list, before: list) -> bool:
    """Whether two lists hold the same objects; of pairs, the same keys and values."""
    if len(now) != len(before):
        return False
    for a, b in zip(now, before, strict=True):
        pair = isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b)
        if not (all(x is y for x, y in zip(a, b, strict=True)) if pair else a is b):
            return False
    return True


def _is_plain(value: Any) -> bool:
    """Whether an attribute is state: a number, a text, a tensor, or a container of such."""
    if value is None or isinstance(value, (bool, int, float, str, bytes, np.ndarray, np.generic)):
        return True
    if isinstance(value, Tensor):
        return not isinstance(value, nn.Parameter)
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, (list, tuple, deque, set)):
        return all(map(_is_plain, value))
    return False
