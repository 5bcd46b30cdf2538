"""Running a network so that afterwards everything about it is what it was."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    for model in models:
        state.take(model)
    with global_generators_kept():
        try:
            yield
        finally:
            state.put_back()


class _Snapshot:
    """The content of everything that modules lead to, and how it is put back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        #: What was taken, by its id; it is held, so that no id goes to another object.
        self._taken: dict[int, Any] = {}

    def put_back(self) -> None:
        """Give everything the content that it had."""
        with torch.no_grad():
            for undo in self._undo:
                undo()

    def take(self, value: Any, held_by_object: bool = False) -> None:
        """Keep a value's content.

        Args:
            value: The value, which may be anything.
            held_by_object: Whether a plain object led here. Its content is state of the model, but
                not that of the objects that it holds, which may lead anywhere. Defaults to False.
        """
        if type(value) in _CONSTANTS or id(value) in self._taken or isinstance(value, _CLOSED):
            return
        self._taken[id(value)] = value
        if isinstance(value, Tensor):
            self._take_tensor(value)
        elif isinstance(value, np.ndarray):
            if value.flags.writeable:
                array = value.copy()
                self._undo.append(lambda: np.copyto(value, array))
        elif isinstance(value, torch.Generator):
            state = value.get_state()
            self._undo.append(lambda: value.set_state(state) and None)
        elif isinstance(value, tuple):
            for item in value:
                self.take(item, held_by_object)
        elif isinstance(value, _CONTAINERS):
            self._take_container(value, held_by_object)
        elif isinstance(value, nn.Module):
            self._take_container(vars(value), False)
        elif hasattr(value, '__dict__') and not held_by_object:
            self._take_container(vars(value), True)

    def _take_tensor(self, tensor: Tensor) -> None:
        spread = any(s == 0 and n > 1 for s, n in zip(tensor.stride(), tensor.shape, strict=True))
        # Nobody can write these tensors in place, so they cannot change.
        if is_lazy(tensor) or tensor.is_inference() or spread:
            return
        kept = tensor.detach().clone()

        def put_back() -> None:
            if (tensor.shape, tensor.dtype, tensor.device) == (kept.shape, kept.dtype, kept.device):
                # Always, as writing to .data leaves the version of the tensor as it was.
                tensor.copy_(kept)
            else:
                tensor.data = kept

        self._undo.append(put_back)

    def _take_container(self, container: Any, held_by_object: bool) -> None:
        pairs = isinstance(container, dict)
        items = list(container.items() if pairs else container)
        for item in items:
            self.take(item[1] if pairs else item, held_by_object)

        def put_back() -> None:
            now = list(container.items() if pairs else container)
            if len(now) == len(items) and all(map(_is_same, now, items)):
                return
            container.clear()
            if isinstance(container, (list, deque)):
                container.extend(items)
            else:
                container.update(items)

        def _is_same(new: Any, old: Any) -> bool:
            return new[0] == old[0] and new[1] is old[1] if pairs else new is old

        self._undo.append(put_back)
