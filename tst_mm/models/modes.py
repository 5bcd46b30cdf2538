"""Running a network without changing it: frozen weights, norm statistics and dropout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

#: The attributes that hold the rate of a dropout which depends on the training flag of a layer.
_RATES = ('dropout', 'attn_drop', 'drop_rate', 'drop_prob')


def _depends_on_mode(module: nn.Module) -> bool:
    """Whether a layer updates statistics or draws noise when it trains.

    Each library has its own classes for attention, dense layers and stochastic depth, but all of
    them keep the rate of their dropout as a number.
    """
    if isinstance(module, (_NormBase, _DropoutNd)) or type(module).__name__ == 'StochasticDepth':
        return True
    # Not `getattr(module, ...)`: a module searches for what it lacks, ten times as long.
    own, kind = vars(module), type(module)
    return any(
        isinstance(own[rate] if rate in own else getattr(kind, rate, None), (int, float))
        for rate in _RATES
    )


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Let gradients pass through a model but not into it.

    Weights do not require gradients, norm layers use their stored statistics and dropout is off.
    Every other training flag stays as it is, because some heads compute differently by it.
    Afterwards all flags are what they were.
    """
    weights = [p for p in model.parameters() if p.requires_grad]
    layers = [m for m in model.modules() if m.training and _depends_on_mode(m)]
    try:
        for weight in weights:
            weight.requires_grad_(False)
        for layer in layers:
            layer.training = False
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)
        for layer in layers:
            layer.training = True


@contextmanager
def heads_in_training(model: nn.Module) -> Iterator[None]:
    """Let an evaluating model compute losses as its heads do in training.

    Norm layers and dropout keep evaluating. Afterwards all flags are what they were.
    """
    layers = [m for m in model.modules() if not m.training and not _depends_on_mode(m)]
    try:
        for layer in layers:
            layer.training = True
        yield
    finally:
        for layer in layers:
            layer.training = False
