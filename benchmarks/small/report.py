"""What the small trainings say: tables, and the part of the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.accuracy.statistics import Difference, difference, levels
from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.experiments import markdown_table

from . import pictures
from .matrix import METHODS, TASKS

#: The file of the runs.
PATH = Path(__file__).with_name('runs.jsonl')
#: Seeds from here on choose defaults and are not reported.
CHOOSING = 100
#: What settings were compared with: the default when they were.
BASE = 'tst-four'


def read_runs(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of runs; none of one that is not there."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def cells(
    runs: Sequence[Mapping[str, Any]], key: str = 'test', choosing: bool = False
) -> dict[str, dict[str, dict[int, float]]]:
    """Values by task, method and seed, in the order of the matrix.

    Args:
        runs: The lines of the file.
        key: What is taken of them. Defaults to the test accuracy.
        choosing: Whether the seeds that choose are taken, not those that report. Defaults to False.
    """
    found: dict[str, dict[str, dict[int, Any]]] = {
        task: {method: {} for method in METHODS} for task in TASKS
    }
    for run in runs:
        if (run['seed'] >= CHOOSING) == choosing:
            found[run['task']][run['method']][run['seed']] = run[key]
    return {
        task: {method: values for method, values in methods.items() if values}
        for task, methods in found.items()
        if any(methods.values())
    }


def tables(runs: Sequence[Mapping[str, Any]]) -> str:
    """A table for each task, as Markdown; with the time of a run where it is long."""
    parts = []
    for task, methods in cells(runs).items():
        best = best_rival(methods)
        others = list(dict.fromkeys(name for name in ('kd', best) if name))
        rows = []
        for method, values in methods.items():
            row = [METHODS[method].title, _interval(values), str(len(values))]
            if TASKS[task].depths:
                seconds = cells(runs, 'seconds')[task][method].values()
                row.append(f'{np.mean(list(seconds)):.0f} s')
            for other in others:
                gap = difference(values, methods.get(other, {})) if other != method else None
                row.append(gap_cell(gap))
            rows.append(row)
        found = sorted({f'{run["teacher"]:.1f}' for run in runs if run['task'] == task})
        teacher = ' to '.join(dict.fromkeys((found[0], found[-1])))
        head = ['', 'accuracy, %', 'seeds', *(['time'] if TASKS[task].depths else [])]
        head += [f'over {METHODS[other].title}' for other in others]
        title = f'{TASKS[task].title} (teacher {teacher}; {TASKS[task].budget:,} steps of KD)'
        parts.append(f'**{title}**\n\n{markdown_table(head, rows)}')
    return '\n\n'.join(parts)


def best_rival(methods: Mapping[str, Mapping[int, float]]) -> str | None:
    """The rival with the highest level; None without any."""
    found = {name: value for name, value in levels(methods).items() if METHODS[name].rival}
    return max(found, key=found.__getitem__) if found else None


def choices(runs: Sequence[Mapping[str, Any]]) -> str:
    """What each setting gains over the former default, on the half of the images that chooses.

    A row a method other than that, a column a task; in brackets the 95 % interval by
    Student's t. Empty where no seed chooses.
    """
    found = cells(runs, 'validation', choosing=True)
    rows = []
    for method in METHODS:
        gaps = [
            difference(methods.get(method, {}), methods.get(BASE, {})) if method != BASE else None
            for methods in found.values()
        ]
        if any(gap is not None for gap in gaps):
            rows.append([METHODS[method].title, *map(gap_cell, gaps)])
    if not rows:
        return ''
    titles = [
        f'{TASKS[task].title}, {len(methods.get(BASE, {}))} seeds'
        for task, methods in found.items()
    ]
    return markdown_table([f'over {METHODS[BASE].title}', *titles], rows)


def agreement(runs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, int, float]]:
    """By task: the mean correlation of the policies of two seeds, pairs, known effects a run."""
    policies, known = cells(runs, 'policy'), cells(runs, 'known')
    result = {}
    for task, methods in policies.items():
        pairs = _correlations(methods.get('tst', {}).values())
        if pairs:
            counts = [sum(row) for row in known[task]['tst'].values() if row]
            result[task] = (float(np.mean(pairs)), len(pairs), float(np.mean(counts)))
    return result


def agreements(runs: Sequence[Mapping[str, Any]]) -> str:
    """The mean correlation of the policies of two seeds, a row a method, a column a task."""
    found = cells(runs, 'policy')
    tasks = [task for task in found if TASKS[task].in_headline]
    rows = []
    for method in METHODS:
        pairs = [_correlations(found[task].get(method, {}).values()) for task in tasks]
        if any(pairs):
            told = [f'{np.mean(values):.2f}' if values else '' for values in pairs]
            rows.append([METHODS[method].title, *told])
    return markdown_table(['correlation', *(TASKS[task].title for task in tasks)], rows)


def _correlations(policies: Iterable[Sequence[float] | None]) -> list[float]:
    """The correlation of each pair of policies; those that did not move have none."""
    moved = [np.array(policy) for policy in policies if policy and any(policy)]
    return [float(np.corrcoef(a, b)[0, 1]) for i, a in enumerate(moved) for b in moved[:i]]


def learned(runs: Sequence[Mapping[str, Any]]) -> str:
    """What TST's policies of all seeds agree on, a line a task: more of which, less of which.

    An operator is named where its logit moved the same way in every seed, at least by 0.2 on
    average, and its effect is known in most.
    """
    policies, known = cells(runs, 'policy'), cells(runs, 'known')
    lines = []
    for task, methods in policies.items():
        moved = np.array([values for values in methods.get('tst', {}).values() if values])
        if len(moved) < 2:
            continue
        sure = np.mean([row for row in known[task]['tst'].values() if row], 0) > 0.5
        agreed = sure & (abs(np.sign(moved).sum(0)) == len(moved)) & (abs(moved.mean(0)) >= 0.2)
        changes = sorted(
            zip(moved.mean(0)[agreed], np.array(DEFAULT_OPERATORS)[agreed], strict=True)
        )
        up = [f'{name} (+{change:.1f})' for change, name in reversed(changes) if change > 0]
        down = [f'{name} ({change:.1f})' for change, name in changes if change < 0]
        words = [f'{way} {", ".join(who)}' for way, who in (('more', up), ('less', down)) if who]
        lines.append(f'- {TASKS[task].title}, {len(moved)} seeds: {"; ".join(words) or "nothing"}')
    return '\n'.join(lines)


def section(runs: Sequence[Mapping[str, Any]], images: Path) -> str:
    """What the page of results says of these runs; the picture is drawn into a folder of images."""
    reported = [run for run in runs if run['seed'] < CHOOSING]
    if not reported:
        return 'Nothing yet: `python -m benchmarks.small run`.'
    moved, known = cells(reported, 'policy'), cells(reported, 'known')
    pictures.draw_amounts(cells(reported, 'amount'), images / 'results_amounts.png')
    pictures.draw_learned(moved, known, images / 'results_learned.png')
    commits = ', '.join(dict.fromkeys(f'`{run["commit"]}`' for run in reported))
    lines = [
        f'- {TASKS[task].title}: {mean:.2f} on average over {pairs} pairs of seeds; '
        f'{known:.1f} of 14 effects are known'
        for task, (mean, pairs, known) in agreement(reported).items()
    ]
    agreed = '\n'.join(lines) or 'Not measured yet.'
    chosen = choices(runs)
    settings = (
        f'\n\n**Other settings**, on the other half of the test images and other seeds:\n\n{chosen}'
    )
    return (
        f'{len(reported)} runs of commits {commits}.\n\n{tables(reported)}\n\n'
        '![The learned amount over training, a line a seed](images/results_amounts.png)\n\n'
        '**Do seeds agree?** The correlation of the policies of two seeds, logits less prior:\n\n'
        f'{agreed}\n\nThe same of all methods that search:\n\n{agreements(reported)}\n\n'
        '![How far each rate was moved, a dot a seed](images/results_learned.png)\n\n'
        'What the policies of all seeds agree on, in logits:\n\n'
        f'{learned(reported) or "- Nothing yet."}{settings if chosen else ""}'
    )


def _interval(values: Mapping[int, float]) -> str:
    """Mean and the half width of its 95 % interval by Student's t."""
    array = np.array(list(values.values()))
    if len(array) < 2:
        return f'{array.mean():.2f}'
    half = stats.sem(array) * stats.t.ppf(0.975, len(array) - 1)
    return f'{array.mean():.2f} ± {half:.2f}'


def gap_cell(gap: Difference | None) -> str:
    """A paired difference and its interval by Student's t; bold where no interval has zero.

    Two pairs say nothing of their spread.
    """
    if gap is None:
        return ''
    bold = '**' if gap.pairs > 2 and (gap.above_zero or gap.below_zero) else ''
    low, high = gap.student
    return f'{bold}{gap.mean:+.2f}{bold} ({low:+.2f} to {high:+.2f})'
