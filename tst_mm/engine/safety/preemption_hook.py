"""PreemptionHook: a run that is told to go (SIGTERM) saves first; its exit code tells."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_reduce, barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from tst_mm.engine.data.loader_workers import outlive_sigterm
from tst_mm.engine.safety.safe_checkpoints import remove_checkpoint
from tst_mm.registry import HOOKS
from tst_mm.utils.files import write_bytes
from tst_mm.utils.hooks import ensure_hook

from .exact_resume_hook import ExactResumeHook
from .shared_buffers_hook import SharedBuffersHook

#: Exit code of a process that ends at a SIGTERM, as shells count it.
EXIT_CODE = 128 + signal.SIGTERM
_NAME = 'interrupted.pth'


@HOOKS.register_module()
class PreemptionHook(Hook):
    """At a SIGTERM save ``interrupted.pth`` after the present iteration and exit with code 143.

    ``--resume`` goes on from there, also inside an epoch or an augmenter stage, and the run ends as
    if it had not been interrupted. With gradient accumulation the run goes on to the next step of
    the optimiser, and a validation is finished first. A run that ends removes the file.
    ``tools/train.py`` brings this hook along.

    Args:
        interval: Iterations between two agreements of the ranks of a distributed run, which stop
            together. Defaults to 10.

    Raises:
        ValueError: ``interval`` is no whole number from 1.
    """

    # After all other hooks have done their part of the iteration.
    priority = 'LOWEST'

    def __init__(self, interval: int = 10) -> None:
        if type(interval) is not int or interval < 1:
            raise ValueError(f'interval is {interval!r}; allowed: whole numbers from 1')
        self.interval = interval
        self._told = False
        self._previous: Any = None

    def before_run(self, runner: Runner) -> None:
        """What is saved inside an epoch can be resumed with those hooks only."""
        ensure_hook(runner, ExactResumeHook)
        self._buffers = ensure_hook(runner, SharedBuffersHook)

    def before_train(self, runner: Runner) -> None:
        """Listen, where Python lets us: in the main thread."""
        if threading.current_thread() is threading.main_thread():
            for loader in _loaders(runner):
                outlive_sigterm(loader)
            self._previous = signal.signal(signal.SIGTERM, self._note)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Stop here if told to and no gradient waits for its step."""
        done = runner.iter + 1
        if self._shall_stop(done) and runner.optim_wrapper.should_update():
            self._stop(runner, done)

    def after_augmenter_iter(
        self, runner: Runner, stage: Any, data_batch: Any, outputs: Any
    ) -> None:
        """Stop here, inside a stage, if told to."""
        if self._shall_stop(stage.step):
            self._stop(runner, runner.iter)

    def after_train(self, runner: Runner) -> None:
        """Stop listening, and remove what an interruption left: the run is complete."""
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)
        if is_main_process():
            remove_checkpoint(Path(runner.work_dir, _NAME))

    def _note(self, *_: Any) -> None:
        self._told = True

    def _shall_stop(self, step: int) -> bool:
        if get_world_size() == 1:
            return self._told
        if step % self.interval:
            return False
        told = torch.tensor(float(self._told))
        all_reduce(told, 'max')
        self._told = bool(told)
        return self._told

    def _stop(self, runner: Runner, done: int) -> None:
        path = Path(runner.work_dir, _NAME)
        meta = {'epoch': runner.epoch, 'iter': done}
        self._buffers.keep(runner)
        runner.save_checkpoint(runner.work_dir, _NAME, meta=meta, by_epoch=False)
        if is_main_process():
            write_bytes(path.with_name('last_checkpoint'), str(path).encode())
        runner.logger.warning(f'SIGTERM: saved {path} at iteration {done}; --resume goes on there')
        barrier()  # nobody leaves before the file is complete
        raise SystemExit(EXIT_CODE)


def _loaders(runner: Runner) -> Iterator[DataLoader]:
    """The loaders of a training."""
    loops = (runner.train_loop, runner.val_loop)
    found = [loop.dataloader for loop in loops if loop is not None]
    found += [getattr(hook, 'loader', None) for hook in runner.hooks]  # of the stages
    return (loader for loader in found if isinstance(loader, DataLoader))
