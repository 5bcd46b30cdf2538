"""PreemptionHook: a run that is told to go (SIGTERM, Ctrl-C) saves first; its exit code tells."""

import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_reduce, barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from tst_mm.engine.data.loader_workers import outlive_signals
from tst_mm.engine.safety.safe_checkpoints import remove_checkpoint
from tst_mm.registry import HOOKS
from tst_mm.utils.files import write_bytes
from tst_mm.utils.hooks import ensure_hook

from .exact_resume_hook import ExactResumeHook
from .shared_buffers_hook import SharedBuffersHook

#: What a run is told to go by, and what people call it.
_SIGNALS = {signal.SIGTERM: 'SIGTERM', signal.SIGINT: 'Ctrl-C'}
_NAME = 'interrupted.pth'


@HOOKS.register_module()
class PreemptionHook(Hook):
    """At a SIGTERM or Ctrl-C save ``interrupted.pth`` after the present iteration and exit.

    The exit code is 143 after a SIGTERM and 130 after Ctrl-C, as shells count signals. A second
    Ctrl-C stops at once, without saving.

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
        #: The signal that came; 0 while none has.
        self._told = 0
        self._previous: dict[int, Any] = {}

    def before_run(self, runner: Runner) -> None:
        """What is saved inside an epoch can be resumed with those hooks only."""
        ensure_hook(runner, ExactResumeHook)
        self._buffers = ensure_hook(runner, SharedBuffersHook)

    def before_train(self, runner: Runner) -> None:
        """Listen, where Python lets us: in the main thread."""
        if threading.current_thread() is threading.main_thread():
            for loader in _loaders(runner):
                outlive_signals(loader)
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as in a background job
                    self._previous[number] = signal.signal(number, self._note)

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
        self._stop_listening()
        if is_main_process():
            remove_checkpoint(Path(runner.work_dir, _NAME))

    def _note(self, number: int, _: Any) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if is_main_process():
                said = 'Ctrl-C: saving after this iteration; once more stops at once'
                print_log(said, 'current', logging.WARNING)
        self._told = number

    def _stop_listening(self) -> None:
        previous, self._previous = self._previous, {}
        for number, handler in previous.items():
            signal.signal(number, handler)

    def _shall_stop(self, step: int) -> bool:
        if get_world_size() == 1:
            return bool(self._told)
        if step % self.interval:
            return False
        told = torch.tensor(float(self._told))
        all_reduce(told, 'max')
        self._told = int(told)
        return bool(self._told)

    def _stop(self, runner: Runner, done: int) -> None:
        path = Path(runner.work_dir, _NAME)
        meta = {'epoch': runner.epoch, 'iter': done}
        self._buffers.keep(runner)
        runner.save_checkpoint(runner.work_dir, _NAME, meta=meta, by_epoch=False)
        if is_main_process():
            write_bytes(path.with_name('last_checkpoint'), str(path).encode())
        name = _SIGNALS[signal.Signals(self._told)]
        runner.logger.warning(f'{name}: saved {path} at iteration {done}; --resume goes on there')
        barrier()  # nobody leaves before the file is complete
        self._stop_listening()
        raise SystemExit(128 + self._told)


def _loaders(runner: Runner) -> Iterator[DataLoader]:
    """The loaders of a training."""
    loops = (runner.train_loop, runner.val_loop)
    found = [loop.dataloader for loop in loops if loop is not None]
    found += [getattr(hook, 'loader', None) for hook in runner.hooks]  # of the stages
    return (loader for loader in found if isinstance(loader, DataLoader))
