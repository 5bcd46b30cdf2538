"""SharedBuffersHook: all ranks validate the network that is saved."""

from collections.abc import Iterator
from typing import Any

from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.hooks import CheckpointHook, EMAHook, Hook
from mmengine.runner import Runner
from torch import nn

from tst_mm.registry import HOOKS
from tst_mm.utils.unwrap import unwrap_model

from .shared_buffers import share_buffers

#: Key of our part of a checkpoint.
_KEY = 'tst_mm_buffers'


@HOOKS.register_module()
class SharedBuffersHook(Hook):
    """Give all ranks of a distributed run the mean of their norm statistics.

    This happens before a validation, at the end of an epoch, and where ``CheckpointHook`` saves, so
    that a checkpoint holds the network that was validated, and the ranks of a resumed run start
    with the statistics that those of the first run went on with. An average that ``EMAHook`` keeps
    is shared alike. The statistics of BatchNorm do not enter training, so its course is the same
    with this hook and without. See :func:`tst_mm.engine.safety.shared_buffers.share_buffers` for
    what is shared. In a run of one process the hook does nothing.

    ``tools/train.py`` and ``AlternatingScheduleHook`` bring this hook along.
    """

    # After EMAHook has updated its average, before CheckpointHook saves.
    priority = 'LOW'

    def __init__(self) -> None:
        self._of_ranks: list[Any] | None = None

    def before_train(self, runner: Runner) -> None:
        """Give each rank back what :meth:`keep` kept of it, if that was as many ranks."""
        kept, self._of_ranks = self._of_ranks, None
        resumed = runner.iter > 0  # else only weights were loaded, perhaps into another model
        if resumed and kept is not None and len(kept) == get_world_size():
            for module, buffers in zip(_modules(runner), kept[get_rank()], strict=False):
                for name, buffer in module.named_buffers():
                    buffer.copy_(buffers.get(name, buffer))

    def before_val_epoch(self, runner: Runner) -> None:
        """Let all ranks validate the same network."""
        self.share(runner)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Save the same network."""
        if any(_saves_now(hook, runner) for hook in runner.hooks):
            self.share(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Save the same network."""
        self.share(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember what :meth:`keep` added."""
        self._of_ranks = checkpoint.get(_KEY)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add what :meth:`keep` gathered."""
        if self._of_ranks is not None:
            checkpoint[_KEY], self._of_ranks = self._of_ranks, None

    def share(self, runner: Runner) -> None:
        """Do it now; on all ranks."""
        for module in _modules(runner):
            share_buffers(module)

    def keep(self, runner: Runner) -> None:
        """Let the next checkpoint hold the buffers of every rank; on all ranks.

        That is for a run that is interrupted where it would not have shared anything, and that has
        to go on, bit for bit, as if it had not been.
        """
        if get_world_size() > 1:
            own = [
                {name: buffer.cpu() for name, buffer in module.named_buffers()}
                for module in _modules(runner)
            ]
            self._of_ranks = all_gather_object(own)


def _modules(runner: Runner) -> Iterator[nn.Module]:
    """The model, and averages of it."""
    yield unwrap_model(runner)
    for hook in runner.hooks:
        if isinstance(hook, EMAHook):
            yield hook.ema_model


def _saves_now(hook: Hook, runner: Runner) -> bool:
    """Whether a hook is a ``CheckpointHook`` that saves after this iteration."""
    return (
        isinstance(hook, CheckpointHook)
        and not hook.by_epoch
        and (
            hook.every_n_train_iters(runner, hook.interval, hook.save_begin)
            or hook.is_last_train_iter(runner)
        )
    )
