"""What a run tells about its augmenter stages: log lines, scalars, and ``policy.json``."""

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process, master_only
from mmengine.runner import Runner

from tst_mm.augment import LearnedAugmenter
from tst_mm.engine.safety.provenance import provenance
from tst_mm.utils.files import write_json

from .augmenter_stage import AugmenterStage
from .stages import Stage


class StageLog:
    """Writes to the runner's logger, message hub and visualizer, and keeps the policy's history.

    Args:
        runner: The runner of the run; ``policy.json`` goes to its work folder.
        augmenter: The augmenter whose policy is learned.
        schedule: All stages of the run.
    """

    def __init__(
        self, runner: Runner, augmenter: LearnedAugmenter, schedule: Sequence[Stage]
    ) -> None:
        self.runner = runner
        self.augmenter = augmenter
        self.policy = augmenter.policy
        self.schedule = schedule
        self.path = Path(runner.work_dir, 'policy.json')
        #: Where the policy comes from, as in ``policy.json``.
        stages = [(stage.begin, stage.length) for stage in schedule]
        self.provenance = provenance(runner, stages) if is_main_process() else {}
        #: One entry for each log line, as in ``policy.json``.
        self.history: list[dict[str, Any]] = []
        #: The amount of augmentation over training, as in ``policy.json``.
        self.amount: list[dict[str, Any]] = []
        #: What the search knows of each operator, as in ``policy.json``.
        self.evidence: list[dict[str, Any]] = []
        self.remember_start()
        self.restart_clock()

    def remember_start(self) -> None:
        """Keep the present policy as the one before the first stage."""
        self.start = {
            'rates': self.policy.rates().tolist(),
            'magnitudes': self.policy.magnitudes().tolist(),
        }

    def restart_clock(self, step: int = 0) -> None:
        """Measure the time of a step from here on."""
        self._clock, self._clock_step = time.perf_counter(), step

    def write_line(self, index: int, stage: AugmenterStage) -> None:
        """Report the means since the last line."""
        means = stage.window.read()  # waits for the device, so the clock is true afterwards
        seconds = (time.perf_counter() - self._clock) / max(1, stage.step - self._clock_step)
        self.restart_clock(stage.step)
        if is_main_process():
            self._print(index, stage, means, seconds)
            self._record(index, stage, means)

    @master_only
    def write_end(self, index: int, words: str) -> None:
        """Report what the search says at the end of a stage, and the policy that follows."""
        self.runner.logger.info(f'Augmenter stage {index + 1}/{len(self.schedule)} ended, {words}')

    @master_only
    def write_policy(self) -> None:
        """Write ``policy.json``, which is afterwards either complete or as before.

        Raises:
            OSError: The work folder cannot be written.
        """
        policy = self.policy.to_dict()
        for entry, known in zip(policy['operators'], self.evidence, strict=False):
            entry.update(known)
        trace = {**self.extras(), 'start': self.start, 'history': self.history}
        if self.amount:
            trace['amount'] = self.amount
        write_json(self.path, {**policy, **trace})

    def extras(self) -> dict[str, Any]:
        """What ``policy.json`` and checkpoints hold beside the policy and its history."""
        return {'augmenter': self.augmenter.application(), 'provenance': self.provenance}

    def _print(
        self, index: int, stage: AugmenterStage, means: dict[str, float], seconds: float
    ) -> None:
        width = len(str(stage.length))
        eta = timedelta(seconds=int(seconds * (stage.length - stage.step)))
        lr = stage.search.lr()
        parts = [] if lr is None else [f'lr: {lr:.4e}']
        parts += [f'eta: {eta}', f'time: {seconds:.4f}']
        if torch.cuda.is_available():
            parts.append(f'memory: {torch.cuda.max_memory_allocated() >> 20}')
        parts += [f'{name}: {value:.4f}' for name, value in means.items()]
        self.runner.logger.info(
            f'Augmenter stage {index + 1}/{len(self.schedule)} '
            f'[{stage.step:>{width}}/{stage.length}]  ' + '  '.join(parts)
        )

    def _record(self, index: int, stage: AugmenterStage, means: dict[str, float]) -> None:
        lr = stage.search.lr()
        scalars = means if lr is None else {'lr': lr, **means}
        entry = {'stage': index, 'step': stage.step, 'iter': self.runner.iter, **scalars}
        entry['rates'] = self.policy.rates().tolist()
        entry['magnitudes'] = self.policy.magnitudes().tolist()
        if self.evidence:
            for name in self.evidence[0]:
                entry[f'{name}s'] = [known[name] for known in self.evidence]
        self.history.append(entry)
        self.write_policy()

        scalars = dict(scalars)
        scalars |= {
            f'{what}/{name}': values[what]
            for name, values in self.policy.summary().items()
            for what in ('rate', 'magnitude')
            if values[what] is not None
        }
        scalars = {f'augmenter/{name}': value for name, value in scalars.items()}
        for name, value in scalars.items():
            self.runner.message_hub.update_scalar(name, value)
        done = sum(earlier.length for earlier in self.schedule[:index]) + stage.step
        self.runner.visualizer.add_scalars(scalars, step=done)
