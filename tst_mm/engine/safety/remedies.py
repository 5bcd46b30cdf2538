"""What helps where numbers overflow, with the values to set."""

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn

#: A gradient norm that detectors are commonly clipped to.
_MAX_NORM = 35
#: Student iterations in which a missing warm-up is a likely cause.
_EARLY = 1000


def remedies(runner: Runner, optim_wrapper: Any, where: str, model: nn.Module | None) -> str:
    """The remedies that the config does not have yet, the most likely first.

    Args:
        runner: Of the run.
        optim_wrapper: What did the step.
        where: Name of its entry in the config.
        model: The distiller, for a step of the student; None for one of the policy.

    Returns:
        Half a sentence with keys and values.
    """
    found = []
    rate = 0.0
    if isinstance(optim_wrapper, OptimWrapper):
        rate = max(optim_wrapper.get_lr()['lr'])
        if not optim_wrapper.clip_grad_kwargs:
            found.append(f'{where}.clip_grad=dict(max_norm={_MAX_NORM})')
    if model is not None and runner.iter < _EARLY and not _has_warm_up(runner):
        found.append(
            "a warm-up (first in param_scheduler: dict(type='LinearLR', start_factor=0.001, "
            'by_epoch=False, begin=0, end=500))'
        )
    if rate:
        found.append(
            f'a smaller learning rate ({where}.optimizer.lr={rate / 10:.3g}, now {rate:.3g})'
        )
    for name, weight in _weights(model).items():
        found.append(f'a smaller loss_weight of {name} ({weight / 10:.3g}, now {weight:.3g})')
    return 'What helps most often: ' + '; '.join(found or ['other data'])


def _has_warm_up(runner: Runner) -> bool:
    schedulers = runner.param_schedulers or []
    if isinstance(schedulers, Mapping):
        schedulers = [scheduler for group in schedulers.values() for scheduler in group]
    return any(type(scheduler).__name__.startswith('Linear') for scheduler in schedulers)


def _weights(model: nn.Module | None) -> dict[str, float]:
    """Weights of the distillation losses on features, whose size nothing bounds."""
    losses = getattr(getattr(model, 'distiller', None), 'distill_losses', None) or {}
    weights = {name: getattr(loss, 'loss_weight', None) for name, loss in losses.items()}
    return {name: float(weight) for name, weight in weights.items() if weight}
