"""What the small trainings say: tables, and the part of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
    """A table for each task, as Markdown."""
    parts = []
    for task, methods in cells(runs).items():
        best = best_rival(methods)
        others = list(dict.fromkeys(name for name in ('kd', best) if name))
        rows = []
        for method, values in methods.items():
            row = [METHODS[method].title, _interval(values), str(len(values))]
            for other in others:
                gap = difference(values, methods.get(other, {})) if other != method else None
                row.append(_gap(gap))
            rows.append(row)
        found = dict.fromkeys(f'{run["teacher"]:.1f}' for run in runs if run['task'] == task)
        teacher = ' and '.join(found)
        head = ['', 'accuracy, %', 'seeds', *(f'over {METHODS[other].title}' for other in others)]
        title = f'{TASKS[task].title} (teacher {teacher}; {TASKS[task].budget:,} steps of KD)'
        parts.append(f'**{title}**\n\n{markdown_table(head, rows)}')
    return '\n\n'.join(parts)


def best_rival(methods: Mapping[str, Mapping[int, float]]) -> str | None:
    """The rival with the highest level; None without any."""
    found = {name: value for name, value in levels(methods).items() if METHODS[name].rival}
    return max(found, key=found.__getitem__) if found else None


def headline(
    runs: Sequence[Mapping[str, Any]],
    others: Mapping[str, Mapping[str, Mapping[int, float]]] | None = None,
) -> str:
    """Differences to the best rival of each task: a row a method, a column a task, the worst.

    Args:
        runs: The lines of the file.
        others: Values of tasks that are not in it, by the title of the task, method and seed.
            Defaults to none.

    Returns:
        A table of Markdown; empty where no method has a rival.
    """
    found = {
        TASKS[task].title: methods for task, methods in cells(runs).items() if TASKS[task].usual
    }
    found |= others or {}
    compared = {task: levels(methods) for task, methods in found.items()}
    rows = []
    names = ('tst', 'amount', 'policy')
    for method in (name for name in METHODS if METHODS[name].rival or name in names):
        gaps = [_behind(values, method) for values in compared.values()]
        known = [gap for gap in gaps if gap is not None]
        if known:
            worst = f'{min(known):+.2f}' if len(known) == len(gaps) else ''
            told = ['' if gap is None else f'{gap:+.2f}' if gap else 'best' for gap in gaps]
            rows.append([METHODS[method].title, *told, worst])
    if not rows:
        return ''
    usual = [_over_the_mean(values) for values in compared.values()]
    known = [gap for gap in usual if gap is not None]
    told = ['' if gap is None else f'{gap:+.2f}' for gap in usual]
    worst = f'{min(known):+.2f}' if known and len(known) == len(usual) else ''
    rows.append(['TST, over the mean of the rivals', *told, worst])
    return markdown_table(['over the best rival', *found, 'worst'], rows)


def _over_the_mean(found: Mapping[str, float]) -> float | None:
    """TST's level over the mean of the rivals'; None without any."""
    rivals = [value for name, value in found.items() if METHODS[name].rival]
    return found['tst'] - float(np.mean(rivals)) if rivals and 'tst' in found else None


#: What a part of the method brings: words, with it, without it.
_PARTS = (
    ('the search, beside the amount', 'tst', 'amount'),
    ('the search alone, all images', 'policy', 'random'),
    ('the amount, beside the search', 'tst', 'policy'),
    ('the amount alone, over half', 'amount', 'random-half'),
    ('the amount alone, over all', 'amount', 'random'),
)


def ablations(runs: Sequence[Mapping[str, Any]]) -> str:
    """What each part of the method brings, with its interval; a row a part, a column a task."""
    found = {task: methods for task, methods in cells(runs).items() if TASKS[task].usual}
    rows = []
    for words, own, other in _PARTS:
        gaps = [
            difference(methods.get(own, {}), methods.get(other, {})) for methods in found.values()
        ]
        if any(gap is not None for gap in gaps):
            rows.append([words, *map(_gap, gaps)])
    titles = [TASKS[task].title for task in found]
    return markdown_table(['what it brings', *titles], rows) if rows else ''


def _behind(found: Mapping[str, float], method: str) -> float | None:
    """A method's level over the best rival's; None where one of them has none."""
    rivals = [value for name, value in found.items() if METHODS[name].rival]
    return found[method] - max(rivals) if rivals and method in found else None


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
            rows.append([METHODS[method].title, *map(_gap, gaps)])
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
        tables = [np.array(policy) for policy in methods.get('tst', {}).values() if policy]
        pairs = [
            float(np.corrcoef(a, b)[0, 1])
            for i, a in enumerate(tables)
            for b in tables[:i]
            if a.any() and b.any()
        ]
        if pairs:
            counts = [sum(row) for row in known[task]['tst'].values() if row]
            result[task] = (float(np.mean(pairs)), len(pairs), float(np.mean(counts)))
    return result


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
        f'{agreed}\n\n'
        '![How far each rate was moved, a dot a seed](images/results_learned.png)\n\n'
        'What the policies of all seeds agree on, in logits:\n\n'
        f'{learned(reported) or "- Nothing yet."}{settings if chosen else ""}'
    )


def verdict(runs: Sequence[Mapping[str, Any]]) -> str:
    """Where TST is above rivals, where not: one line a rival."""
    lines = []
    for rival in (name for name in METHODS if METHODS[name].rival):
        said: dict[str, list[str]] = {'above': [], 'not told apart from': [], 'below': []}
        for task, methods in cells(runs).items():
            gap = difference(methods.get('tst', {}), methods.get(rival, {}))
            if gap is not None:
                told = gap.pairs > 2
                above, below = told and gap.above_zero, told and gap.below_zero
                kind = 'above' if above else 'below' if below else ''
                where = f'{TASKS[task].title} ({gap.mean:+.2f})'
                said[kind or 'not told apart from'].append(where)
        words = [f'{kind} it on {"; ".join(where)}' for kind, where in said.items() if where]
        if words:
            lines.append(f'- TST against {METHODS[rival].title}: {"; ".join(words)}.')
    return '\n'.join(lines)


def _interval(values: Mapping[int, float]) -> str:
    """Mean and the half width of its 95 % interval by Student's t."""
    array = np.array(list(values.values()))
    if len(array) < 2:
        return f'{array.mean():.2f}'
    half = stats.sem(array) * stats.t.ppf(0.975, len(array) - 1)
    return f'{array.mean():.2f} ± {half:.2f}'


def _gap(gap: Difference | None) -> str:
    """A paired difference and its interval by Student's t; bold where no interval has zero.

    Two pairs say nothing of their spread.
    """
    if gap is None:
        return ''
    bold = '**' if gap.pairs > 2 and (gap.above_zero or gap.below_zero) else ''
    low, high = gap.student
    return f'{bold}{gap.mean:+.2f}{bold} ({low:+.2f} to {high:+.2f})'
