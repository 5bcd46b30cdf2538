"""Running a network so that afterwards everything about it is what it was."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import is_
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from tst_mm.utils.generators import global_generators_kept

_CONTAINERS = (dict, list, deque, set)
#: The types of values whose content cannot change.
_CONSTANTS = (type(None), bool, int, float, str, bytes)
#: The types of objects whose attributes are no state of a model.
_CLOSED = (type, FunctionType, MethodType, BuiltinFunctionType, ModuleType, logging.Logger)


@contextmanager
def unchanged(*models: nn.Module) -> Iterator[None]:
    """Put back what a forward pass may change in models, and all global random generators.

    These are every weight and buffer, and every attribute of a module, with the content of
    containers and arrays, and with the attributes of objects that modules hold (thresholds of an
    assigner, histories, counters, sizes drawn for a batch). Everything is put back in place, so
    that whoever else holds it sees it too.

    Args:
        models: The models, which may share parts.
    """
    state = _Snapshot()
    state.take_all(models)
    with global_generators_kept():
        try:
            yield
        finally:
            state.put_back()


class _Snapshot:
    """The content of everything that modules lead to, and how it is put back.

    It is taken and put back in every step of a search, so tensors are copied all at once.
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        #: Containers with the keys, for dictionaries, and the values that they had.
        self._containers: list[tuple[Any, tuple, tuple]] = []
        #: Containers that were empty, as most are: each module has a dozen for hooks.
        self._empty: list[Any] = []
        self._tensors: list[Tensor] = []
        self._copies: list[Tensor] = []
        #: What was taken, by its id; it is held, so that no id goes to another object.
        self._taken: dict[int, Any] = {}

    def take_all(self, models: Iterable[nn.Module]) -> None:
        """Keep the content of models, which may share parts."""
        for model in models:
            self._take(model, False)
        with torch.no_grad():
            self._copies = [torch.empty_like(tensor) for tensor in self._tensors]
            _copy(self._copies, self._tensors)

    def put_back(self) -> None:
        """Give everything the content that it had."""
        for container in self._empty:
            if container:
                container.clear()
        for container, keys, values in self._containers:
            _refill(container, keys, values)
        for undo in self._undo:
            undo()
        same: list[tuple[Tensor, Tensor]] = []
        for pair in zip(self._tensors, self._copies, strict=True):
            now, kept = pair
            if (now.shape, now.dtype, now.device) == (kept.shape, kept.dtype, kept.device):
                same.append(pair)
            else:
                now.data = kept
        with torch.no_grad():
            # Always, as writing to .data leaves the version of a tensor as it was.
            _copy(*map(list, zip(*same, strict=True)) if same else ([], []))

    def _take(self, value: Any, held_by_object: bool) -> None:
        """Keep a value's content.

        Args:
            value: The value, which may be anything.
            held_by_object: Whether a plain object led here. Its content is state of the model, but
                not that of the objects that it holds, which may lead anywhere.
        """
        if type(value) in _CONSTANTS or id(value) in self._taken:
            return
        self._taken[id(value)] = value
        # The most frequent kinds come first.
        if isinstance(value, _CONTAINERS):
            if not value:
                self._empty.append(value)
                return
            self._take_container(value, held_by_object)
        elif isinstance(value, nn.Module):
            self._take_container(vars(value), False)
        elif isinstance(value, Tensor):
            self._take_tensor(value)
        elif isinstance(value, tuple):
            for item in value:
                self._take(item, held_by_object)
        elif isinstance(value, _CLOSED):
            return
        elif isinstance(value, np.ndarray):
            if value.flags.writeable:
                array = value.copy()
                self._undo.append(lambda: np.copyto(value, array))
        elif isinstance(value, torch.Generator):
            state = value.get_state()
            self._undo.append(lambda: value.set_state(state) and None)
        elif hasattr(value, '__dict__') and not held_by_object:
            self._take_container(vars(value), True)

    def _take_tensor(self, tensor: Tensor) -> None:
        spread = any(s == 0 and n > 1 for s, n in zip(tensor.stride(), tensor.shape, strict=True))
        # Nobody can write these tensors in place, so they cannot change.
        if not (is_lazy(tensor) or tensor.is_inference() or spread):
            self._tensors.append(tensor)

    def _take_container(self, container: Any, held_by_object: bool) -> None:
        keys, values = _content(container)
        self._containers.append((container, keys, values))
        for value in values:
            self._take(value, held_by_object)


def _content(container: Any) -> tuple[tuple, tuple]:
    """The keys of a dictionary, or none, and the values."""
    if isinstance(container, dict):
        return tuple(container), tuple(container.values())
    return (), tuple(container)


def _refill(container: Any, keys: tuple, values: tuple) -> None:
    """Let a container have these keys and values again, unless it has them."""
    now = _content(container)
    if len(now[1]) == len(values) and now[0] == keys and all(map(is_, now[1], values)):
        return
    container.clear()
    if isinstance(container, dict):
        container.update(zip(keys, values, strict=True))
    elif isinstance(container, set):
        container.update(values)
    else:
        container.extend(values)


def _copy(targets: list[Tensor], sources: list[Tensor]) -> None:
    """Copy tensors to others like them, on a GPU with a few launches for all.

    One launch serves tensors of one kind on one device that are alike in memory.
    """
    groups: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
    for target, source in zip(targets, sources, strict=True):
        kind = (target.device, target.dtype, target.is_contiguous(), source.is_contiguous())
        group = groups.setdefault(kind, ([], []))
        group[0].append(target)
        group[1].append(source)
    for group in groups.values():
        torch._foreach_copy_(*group)
