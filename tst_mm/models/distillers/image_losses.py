"""The losses of single images, from models that return the losses of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

#: Computes losses of a batch by name, as a model's ``mode='loss'`` does.
LossesOf = Callable[[Tensor, list], Mapping[str, Any]]


def summed(losses: Mapping[str, Any]) -> dict[str, Tensor]:
    """What MMEngine adds up: each entry named a loss, its mean, lists summed; 0-dim."""
    return {
        name: torch.stack([part.mean() for part in _parts(value)]).sum()
        for name, value in losses.items()
        if 'loss' in name
    }


def one_by_one(losses_of: LossesOf, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
    """Losses of each image, which the model sees alone: the same operations as in a batch.

    Args:
        losses_of: Of a batch of one image.
        inputs: (n, C, H, W).
        data_samples: n data samples.

    Returns:
        (n,) by name.
    """
    rows = [_alone(losses_of, inputs[i : i + 1], sample) for i, sample in enumerate(data_samples)]
    # An image without objects may lack a loss that others have.
    names = dict.fromkeys(name for row in rows for name in row)
    zero = inputs.new_zeros(())
    return {name: torch.stack([row.get(name, zero).float() for row in rows]) for name in names}


def _alone(losses_of: LossesOf, image: Tensor, sample: Any) -> dict[str, Tensor]:
    """Losses of (1, C, H, W)."""
    try:
        return summed(losses_of(image, [sample]))
    except ValueError:
        # A group norm over a single value refuses; two images that are the same have its means.
        return summed(losses_of(image.repeat(2, 1, 1, 1), [sample, sample]))


def at_once(
    losses_of: LossesOf, inputs: Tensor, data_samples: list, modules: nn.Module
) -> dict[str, Tensor] | None:
    """Losses of each image from one pass, by loss modules that do not reduce.

    Args:
        losses_of: Of a batch.
        inputs: (n, C, H, W).
        data_samples: n data samples.
        modules: Whose parts reduce, by an attribute ``reduction``.

    Returns:
        (n,) by name; None where a loss is reduced all the same.
    """
    with unreduced(modules):
        losses = losses_of(inputs, data_samples)
    found: dict[str, Tensor] = {}
    for name, value in losses.items():
        if 'loss' not in name:
            continue
        parts = _parts(value)
        if any(part.dim() == 0 or part.shape[0] != len(inputs) for part in parts):
            return None
        rows = [part.float().reshape(len(inputs), -1).sum(1) for part in parts]
        found[name] = torch.stack(rows).sum(0)
    return found


@contextmanager
def unreduced(modules: nn.Module) -> Iterator[None]:
    """Let loss modules return their terms as they are."""
    found = [m for m in modules.modules() if isinstance(getattr(m, 'reduction', None), str)]
    before = [module.reduction for module in found]
    try:
        for module in found:
            module.reduction = 'none'
        yield
    finally:
        for module, reduction in zip(found, before, strict=True):
            module.reduction = reduction


def _parts(value: Any) -> list[Tensor]:
    return [value] if isinstance(value, Tensor) else list(value)
