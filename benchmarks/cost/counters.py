"""Counts that do not depend on time: launches, samplings, waits for the device, peak bytes."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_FREE = {'aten.empty', 'aten.empty_like', 'aten.empty_strided', 'aten.new_empty'}
_FREE |= {'aten.detach', 'aten.alias', 'aten._unsafe_view', 'aten.new_empty_strided'}
_READS = {'aten._local_scalar_dense', 'aten.nonzero', 'aten.masked_select', 'aten.equal'}
_READS |= {'aten.unique_dim', 'aten._unique2', 'aten.repeat_interleave'}
_READING_METHODS = {'item', 'tolist', 'cpu', 'numpy', '__bool__', '__float__', '__int__'}


class WaitError(RuntimeError):
    """Something waits for the device."""


class Launches(TorchDispatchMode):
    """Counts the operations that launch work on a device while it is open.

    Views and allocations launch nothing; copies from the host are counted apart. On the ``meta``
    device the count is that of any device, without one.

    Args:
        device: The type of device whose work counts.

    Attributes:
        kernels (Counter): The number of launches by operation, for example ``{'aten.mul': 12}``.
        copies (int): The number of copies from the host to the device.
    """

    def __init__(self, device: str = 'cpu') -> None:
        super().__init__()
        self.device = device
        self.kernels: Counter[str] = Counter()
        self.copies = 0

    @property
    def total(self) -> int:
        """Launches of all operations."""
        return sum(self.kernels.values())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = str(func.overloadpacket)
        if _on(result, self.device) and name not in _FREE and not _is_view(func):
            if _crosses(func, args, result):
                self.copies += 1
            else:
                self.kernels[name] += 1
        return result


class NoWaits(TorchDispatchMode):
    """Raises where the host would wait for the device.

    The device is ``meta``, whose tensors hold nothing to wait for: what reads values from it, or
    makes a tensor whose size depends on them, is an error. So is a copy that is not declared as
    one that need not be waited for (``non_blocking``), and a tensor made of Python numbers.
    """

    def __enter__(self) -> Any:
        self._functions = _NoReads()
        self._functions.__enter__()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._functions.__exit__(*error)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs, name = kwargs or {}, str(func.overloadpacket)
        given = _on((args, kwargs), 'meta')
        if given and name in _READS:
            raise WaitError(f'{name} reads from the device')
        if given and name == 'aten.index' and any(t.dtype == torch.bool for t in _tensors(args[1])):
            raise WaitError('indexing with a mask waits for its count')
        result = func(*args, **kwargs)
        if _crosses(func, args, result) and not _non_blocking(func, args, kwargs):
            raise WaitError(f'{name} waits for a copy to the device')
        return result


class PeakBytes(TorchDispatchMode):
    """The most bytes of tensors, made while it is open, that were alive at one time.

    What lived before, such as weights, does not count; what an operation needs inside neither.

    Attributes:
        peak (int): The most bytes that were alive at a time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak = self._alive = 0
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        for tensor in _tensors((args, kwargs)):
            self._known.add(tensor.untyped_storage())
        result = func(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            storage = tensor.untyped_storage()
            if storage not in self._known:
                self._known.add(storage)
                size = storage.nbytes()
                self._alive += size
                weakref.finalize(storage, self._free, size)
        self.peak = max(self.peak, self._alive)
        return result

    def _free(self, size: int) -> None:
        self._alive -= size


@contextmanager
def meta_device() -> Iterator[None]:
    """Let what switches autocast off run on the ``meta`` device, which has no autocast."""
    autocast = torch.autocast

    def maybe(device_type: str, *args: Any, **kwargs: Any) -> Any:
        return nullcontext() if device_type == 'meta' else autocast(device_type, *args, **kwargs)

    with mock.patch.object(torch, 'autocast', maybe):
        yield


def peak_bytes(step: Callable[[], object]) -> int:
    """Bytes of :class:`PeakBytes` over one call."""
    with PeakBytes() as memory:
        step()
    return memory.peak


class _NoReads(TorchFunctionMode):
    """Methods that read a tensor of the device, before they reach an operation."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs, name = kwargs or {}, getattr(func, '__name__', '')
        if name in _READING_METHODS and _on(args[:1], 'meta'):
            raise WaitError(f'Tensor.{name} reads from the device')
        if (
            name == 'to'
            and _on(args[:1], 'meta')
            and 'cpu' in map(str, (*args[1:], *kwargs.values()))
        ):
            raise WaitError('Tensor.to reads from the device')
        made = name == 'new_tensor' and _on(args[:1], 'meta')
        numbers = name in ('tensor', 'as_tensor') and not _on(args[:1], 'meta')
        if made or numbers and str(kwargs.get('device')) == 'meta':
            raise WaitError(f'{name} makes a tensor of numbers and waits for its copy')
        return func(*args, **kwargs)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _on(tree: Any, device: str) -> bool:
    return any(tensor.device.type == device for tensor in _tensors(tree))


def _is_view(func: Any) -> bool:
    return any(r.alias_info is not None and not r.alias_info.is_write for r in func._schema.returns)


def _crosses(func: Any, args: tuple, result: Any) -> bool:
    """Whether an operation copies from the host to another device."""
    name = str(func.overloadpacket)
    if name == 'aten._to_copy':
        return args[0].device.type == 'cpu' and result.device.type != 'cpu'
    if name == 'aten.copy_':
        return args[1].device.type == 'cpu' and args[0].device.type != 'cpu' and args[1].dim() > 0
    return False


def _non_blocking(func: Any, args: tuple, kwargs: dict) -> bool:
    if str(func.overloadpacket) == 'aten.copy_':
        return bool(args[2]) if len(args) > 2 else bool(kwargs.get('non_blocking'))
    return bool(kwargs.get('non_blocking'))
