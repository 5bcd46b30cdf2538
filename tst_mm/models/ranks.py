"""Means over the ranks of a distributed run."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor


def mean_over_ranks(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Average tensors over all ranks, in one transfer, without waiting for the device.

    Every rank must call it with the same shapes.

    Args:
        tensors: The tensors, of any shapes and without gradient.

    Returns:
        The means, in the same shapes and in the dtype and on the device of the first tensor,
        identical on all ranks; the given tensors in a run of one process.
    """
    if get_world_size() == 1:
        return list(tensors)
    flat = torch.cat([tensor.detach().to(tensors[0]).flatten() for tensor in tensors])
    all_reduce(flat, 'mean')
    parts = flat.split([tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]
