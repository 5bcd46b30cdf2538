"""What a run reached and what it cost, read from what it logged."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .run import Run

_STAGE = re.compile(r'Augmenter stage (\d+)/\d+ \[\s*(\d+)/\d+\].*? time: ([\d.]+)')


@dataclass(frozen=True)
class Result:
    """What one run reached.

    Attributes:
        metric: The metric of the last validation, in percent.
        step: The seconds that a student step takes, the median of what was logged.
        steps: The number of student steps.
        stages: The seconds that were spent in augmenter stages.
    """

    metric: float
    step: float
    steps: int
    stages: float

    @property
    def total(self) -> float:
        """Seconds in steps of both kinds: training without start-up and validation."""
        return self.step * self.steps + self.stages


def read_result(run: Run, metric: str, scale: float) -> Result:
    """Read what a finished run has logged.

    Args:
        run: A finished run.
        metric: The name of the metric in MMEngine's scalars.
        scale: What the metric is multiplied by to be in percent.

    Raises:
        KeyError: The metric was never logged.
    """
    scalars = read_scalars(run.folder)
    values = [entry[metric] for entry in scalars if metric in entry]
    if not values:
        raise KeyError(f'{run.name}: {metric!r} is not in the scalars under {run.folder}')
    steps = [entry for entry in scalars if 'lr' in entry and 'time' in entry]
    return Result(
        metric=values[-1] * scale,
        step=median(entry['time'] for entry in steps),
        steps=max(entry['step'] for entry in steps),
        stages=stage_seconds(run.log.read_text(errors='replace')),
    )


def read_scalars(folder: Path) -> list[dict]:
    """Everything that MMEngine logged in a work folder, oldest first, over resumes."""
    files = sorted(folder.glob('*/vis_data/scalars.json'))
    lines = [line for file in files for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines if line.strip()]


def stage_seconds(output: str) -> float:
    """Seconds spent in augmenter stages, from the lines that the schedule hook prints."""
    total = 0.0
    before: dict[str, int] = {}
    for stage, step, seconds in _STAGE.findall(output):
        done = int(step) - before.get(stage, 0)
        total += max(0, done) * float(seconds)
        before[stage] = int(step)
    return total
