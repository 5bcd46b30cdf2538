"""What the runs reached and what they cost, as one table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev

from .run import Run

_STAGE = re.compile(r'Augmenter stage (\d+)/\d+ \[\s*(\d+)/\d+\].*? time: ([\d.]+)')


@dataclass(frozen=True)
class Result:
    """What one run reached.

    Attributes:
        metric: At the last validation, in percent.
        step: Seconds of a student step, the median of what was logged.
        steps: Student steps.
        stages: Seconds in augmenter stages.
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
        metric: Name in MMEngine's scalars.
        scale: Of the metric, to give percent.

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
    total, before = 0.0, {}
    for stage, step, seconds in _STAGE.findall(output):
        done = int(step) - before.get(stage, 0)
        total += max(0, done) * float(seconds)
        before[stage] = int(step)
    return total


def format_table(
    results: Mapping[str, Sequence[Result]], titles: Mapping[str, str], reference: str, metric: str
) -> str:
    """A Markdown table of all rows.

    Args:
        results: By name, one result a seed.
        titles: By name, the text of the first column.
        reference: Name of the row that costs are relative to.
        metric: Text at the head of the metric's column.
    """
    cost = {
        key: mean(getattr(result, key) for result in results[reference])
        for key in ('step', 'total')
    }
    rows = [('', metric, 'a student step', 'all training steps')]
    for name, found in results.items():
        relative = [
            f'{mean(getattr(result, key) for result in found) / cost[key]:.2f} x' for key in cost
        ]
        rows.append((titles[name], _spread([result.metric for result in found]), *relative))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        '| '
        + ' | '.join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in cells)
        + ' |'
        for cells in (enumerate(zip(row, widths, strict=True)) for row in rows)
    ]
    rule = ['-' * widths[0], *('-' * (width - 1) + ':' for width in widths[1:])]
    lines.insert(1, '| ' + ' | '.join(rule) + ' |')
    return '\n'.join(lines)


def _spread(values: Sequence[float]) -> str:
    """``'81.3'``, or ``'81.3 ± 0.4'`` of several."""
    if len(values) == 1:
        return f'{values[0]:.1f}'
    return f'{mean(values):.1f} ± {stdev(values):.1f}'
