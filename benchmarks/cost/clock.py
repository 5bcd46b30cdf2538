"""RunClock: where the seconds of a training go."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tst_mm.registry import HOOKS

from .turns import pass_turn

#: The number of iterations before the clock counts.
WARM_UP = 3
#: What the time of a training is shared by; logging is among the hooks.
SHARES = ('loader', 'step', 'hooks', 'stages', 'saving')


class _Edge(Hook):
    """Tells the clock that the hooks of an event are done."""

    priority = 'LOWEST'

    def __init__(self, clock: RunClock) -> None:
        self.clock = clock

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """What follows is the step."""
        self.clock.now('step')

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """What follows is the loader, when it is this training's turn again."""
        self.clock.now('loader')
        self.clock.count(runner)
        pass_turn()

    def after_augmenter_iter(self, runner: Runner, stage: Any, **kwargs: Any) -> None:
        """After the last one the hook of the schedule goes on."""
        if stage.finished:
            self.clock.now('hooks')


@HOOKS.register_module()
class RunClock(Hook):
    """Writes ``clock.json`` into the work folder: seconds by what they were spent on, and memory.

    It stands before all hooks, and lets another stand after them.

    Args:
        warm_up: The number of iterations that are not counted. Defaults to :data:`WARM_UP`.
        processor: Whether the processor's seconds of this process are counted, which other work on
            the machine hardly disturbs, instead of those that pass. Defaults to False.
    """

    priority = 'HIGHEST'

    def __init__(self, warm_up: int = WARM_UP, processor: bool = False) -> None:
        self.warm_up = warm_up
        self._time = time.process_time if processor else time.perf_counter
        self.seconds: dict[str, float] = dict.fromkeys(SHARES, 0.0)
        self.iterations: list[dict[str, float]] = []
        self._at, self._what, self._counting = self._time(), 'hooks', False

    def before_train(self, runner: Runner) -> None:
        """Put the other edge behind all hooks, which are all there by now."""
        runner.register_hook(_Edge(self))

    def now(self, what: str) -> None:
        """From now on time is spent on something else."""
        at = self._time()
        if self._counting:
            self.seconds[self._what] += at - self._at
            self.iterations[-1][self._what] += at - self._at
        self._at, self._what = at, what

    def count(self, runner: Runner) -> None:
        """An iteration is over, its hooks included; count from the end of the warm-up on."""
        self._counting = self._counting or runner.iter + 1 >= self.warm_up
        if self._counting:
            self.iterations.append(dict.fromkeys(SHARES, 0.0))

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """What follows are the hooks."""
        self.now('hooks')

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """What follows are the hooks."""
        self.now('hooks')

    def before_train_epoch(self, runner: Runner) -> None:
        """What follows are the hooks."""
        self.now('hooks')

    def before_augmenter_stage(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """What follows is a stage."""
        self.now('stages')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """What follows is mostly the writing of it."""
        self.now('saving')

    def after_train(self, runner: Runner) -> None:
        """Write what was found, and the most bytes of the GPU's memory or of the process's."""
        self.now('hooks')
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if torch.cuda.is_available():
            peak = torch.cuda.max_memory_allocated()
        # After the last iteration there is no other.
        found = {'iterations': self.iterations[:-1], 'seconds': self.seconds, 'peak': peak}
        Path(runner.work_dir, 'clock.json').write_text(json.dumps(found))
