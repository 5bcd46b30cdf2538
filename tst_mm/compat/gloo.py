"""Mends: distributed training on machines without a GPU.

``mmengine.dist.init_dist`` always calls ``torch.cuda.set_device`` and takes NCCL, and
``Runner.wrap_model`` always passes ``device_ids``, which DDP refuses for a model on the CPU. With
the mends a config for GPUs runs on a CPU machine unchanged, over gloo. They can go when MMEngine
asks ``mmengine.device.get_device()`` in both places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from torch import nn


@contextmanager
def process_group_on_cpu(dist_utils: ModuleType) -> Iterator[None]:
    """Make every launcher start a gloo group where there is no accelerator.

    Args:
        dist_utils: The module ``mmengine.dist.utils``.
    """
    yield
    for name in ('_init_dist_pytorch', '_init_dist_mpi', '_init_dist_slurm'):
        setattr(dist_utils, name, _gloo_on_cpu(getattr(dist_utils, name)))


def _gloo_on_cpu(init: Callable[..., None]) -> Callable[..., None]:
    """Wrap a launcher's function so that on a CPU machine it takes gloo and sets no device."""

    @wraps(init)
    def init_dist(backend: str, *args: Any, **kwargs: Any) -> None:
        import torch
        from mmengine.device import get_device

        if get_device() != 'cpu':
            return init(backend, *args, **kwargs)
        with patch.object(torch.cuda, 'set_device'):
            return init('gloo', *args, **kwargs)

    return init_dist


@contextmanager
def wrapper_on_cpu(distributed: ModuleType) -> Iterator[None]:
    """Make MMEngine's DDP ignore ``device_ids`` for a model on the CPU.

    Args:
        distributed: The module ``mmengine.model.wrappers.distributed``.
    """
    yield
    wrapper = distributed.MMDistributedDataParallel
    original = wrapper.__init__

    @wraps(original)
    def init(self: nn.Module, module: nn.Module, *args: Any, **kwargs: Any) -> None:
        if all(parameter.device.type == 'cpu' for parameter in module.parameters()):
            kwargs.pop('device_ids', None)
        original(self, module, *args, **kwargs)

    wrapper.__init__ = init
