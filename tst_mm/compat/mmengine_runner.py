"""Patches of one run's objects, where MMEngine's runner has no hook point.

Everything else that the engine does to a run it does in hooks. These two stay patches because a
subclass of the runner or of its loops would have to be named in the config: the hooks then would
not do the same in the training scripts of mmpretrain, mmdet and mmseg, nor beside a runner of
one's own (``runner_type``). ``docs/foreign.md`` lists what else is touched. They can go when
MMEngine lets hooks stand around ``save_checkpoint``, and its loop begin inside an epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmengine.runner import EpochBasedTrainLoop, Runner


def number_batches_from(loop: EpochBasedTrainLoop, first: int) -> None:
    """Let a loop count the batches of an epoch from a number on.

    Hooks see ``batch_idx``; in a continued epoch it should count the batches before the resume.

    Args:
        loop: The train loop of a run. A second call replaces what the first did.
        first: The number, from 0, of the batch that comes next in the epoch.
    """
    loop.__dict__.pop('run_iter', None)
    if first:
        run_iter = loop.run_iter
        loop.run_iter = lambda idx, data_batch: run_iter(idx + first, data_batch)  # type: ignore


def wrap_saving(runner: Runner, wrap: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
    """Put a function around the ``save_checkpoint`` of a runner, once.

    Args:
        runner: The runner of a run. A second call changes nothing.
        wrap: What makes the function to call; it is given the runner's own ``save_checkpoint``.
    """
    if 'save_checkpoint' not in vars(runner):
        save: Any = wrap(runner.save_checkpoint)
        runner.save_checkpoint = save  # type: ignore
