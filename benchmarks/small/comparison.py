"""Methods beside each other: the headline, the worst task of each, what each part brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.statistics import difference, levels
from tst_mm.experiments import markdown_table

from . import pictures
from .matrix import METHODS, TASKS
from .report import cells, gap_cell

#: What the headline has beside rivals.
OWN = ('paper', 'tst', 'amount', 'policy')


def headline(
    runs: Sequence[Mapping[str, Any]],
    others: Mapping[str, Mapping[str, Mapping[int, float]]] | None = None,
) -> str:
    """Differences to the best rival of each task: a row a method, a column a task, the worst.

    Args:
        runs: The lines of the file.
        others: Values of tasks that are not in it, by the title of the task, method and seed;
            methods that the matrix has not are left out. Defaults to none.

    Returns:
        A table of Markdown; empty where no method has a rival.
    """
    compared, rows = _compared(runs, others), []
    for method, gaps in _behind_each(compared).items():
        worst = f'{min(gaps.values()):+.2f}' if len(gaps) == len(compared) else ''
        told = {task: f'{gap:+.2f}' if gap else 'best' for task, gap in gaps.items()}
        rows.append([METHODS[method].title, *(told.get(task, '') for task in compared), worst])
    if not rows:
        return ''
    usual = [_over_the_mean(values) for values in compared.values()]
    known = [gap for gap in usual if gap is not None]
    told = ['' if gap is None else f'{gap:+.2f}' for gap in usual]
    worst = f'{min(known):+.2f}' if known and len(known) == len(usual) else ''
    rows.append(['TST, over the mean of the rivals', *told, worst])
    return markdown_table(['over the best rival', *compared, 'worst'], rows)


def draw(
    runs: Sequence[Mapping[str, Any]],
    others: Mapping[str, Mapping[str, Mapping[int, float]]] | None,
    path: Path,
) -> None:
    """Draw the rivals, TST and its amount alone in the headline, for which see there, as PNG."""
    compared = _compared(runs, others)
    gaps = {
        METHODS[name].title: found
        for name, found in _behind_each(compared).items()
        if METHODS[name].rival or name in ('tst', 'amount')
    }
    pictures.draw_headline(gaps, list(compared), METHODS['tst'].title, path)


def summary(
    runs: Sequence[Mapping[str, Any]],
    others: Mapping[str, Mapping[str, Mapping[int, float]]] | None = None,
) -> str:
    """The worst task of each method that was run on all, and how often TST is near the best rival.

    Args:
        runs: The lines of the file.
        others: As :func:`headline` takes them.

    Returns:
        A line for the tasks of the file, and one with the others; empty without TST.
    """
    lines: list[str] = []
    for words, compared in (
        ('small tasks', _compared(runs, None)),
        ('tasks', _compared(runs, others)),
    ):
        if not compared or lines and not others:
            continue
        worst = {}
        for method, gaps in _behind_each(compared).items():
            if len(gaps) == len(compared):
                where = min(gaps, key=gaps.__getitem__)
                worst[method] = f'{METHODS[method].title} {gaps[where]:+.2f} ({where})'
        if 'tst' not in worst:
            continue
        gaps = _behind_each(compared)['tst']
        near = sum(gap >= -0.3 for gap in gaps.values())
        over = sum((_over_the_mean(values) or 0.0) > 0 for values in compared.values())
        lines.append(
            f'- The worst of {len(gaps)} {words}: {"; ".join(worst.values())}. TST is at most 0.3 '
            f'behind the best rival on {near}, and above the mean of the rivals on {over}.'
        )
    return '\n'.join(lines)


#: What a part of the method brings: words, with it, without it.
_PARTS = (
    ('the search, beside the amount', 'tst', 'amount'),
    ('the search alone, all images', 'policy', 'random'),
    ('the amount, beside the search', 'tst', 'policy'),
    ('the amount alone, over half', 'amount', 'random-half'),
    ('the amount alone, over all', 'amount', 'random'),
    ('TST, over TST as published', 'tst', 'paper'),
    ('TST, over that with recommended switches', 'tst', 'paper-mended'),
    ('recommended switches, over TST as published', 'paper-mended', 'paper'),
    ('labels by trust, over TST', 'tst-trust', 'tst'),
    ('objective disagreement, over TST', 'tst-disagreement', 'tst'),
    ('objective confidence, over TST', 'tst-confidence', 'tst'),
)


def ablations(runs: Sequence[Mapping[str, Any]]) -> str:
    """What each part of the method brings, with its interval; a row a part, a column a task."""
    found = {task: methods for task, methods in cells(runs).items() if TASKS[task].in_headline}
    rows = []
    for words, own, other in _PARTS:
        gaps = [
            difference(methods.get(own, {}), methods.get(other, {})) for methods in found.values()
        ]
        if any(gap is not None for gap in gaps):
            rows.append([words, *map(gap_cell, gaps)])
    titles = [TASKS[task].title for task in found]
    return markdown_table(['what it brings', *titles], rows) if rows else ''


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


def _compared(
    runs: Sequence[Mapping[str, Any]],
    others: Mapping[str, Mapping[str, Mapping[int, float]]] | None,
) -> dict[str, dict[str, float]]:
    """The levels of all methods of the matrix, by the title of a task."""
    found = {
        TASKS[task].title: methods
        for task, methods in cells(runs).items()
        if TASKS[task].in_headline
    }
    found |= {
        task: {name: values for name, values in methods.items() if name in METHODS}
        for task, methods in (others or {}).items()
    }
    return {task: levels(methods) for task, methods in found.items()}


def _over_the_mean(found: Mapping[str, float]) -> float | None:
    """TST's level over the mean of the rivals'; None without any."""
    rivals = [value for name, value in found.items() if METHODS[name].rival]
    return found['tst'] - float(np.mean(rivals)) if rivals and 'tst' in found else None


def _behind_each(compared: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """By method and task, how far a level is over that of the best rival; rivals and our own."""
    gaps: dict[str, dict[str, float]] = {}
    for task, found in compared.items():
        rivals = [value for name, value in found.items() if METHODS[name].rival]
        for method in found if rivals else ():
            if METHODS[method].rival or method in OWN:
                gaps.setdefault(method, {})[task] = found[method] - max(rivals)
    return {method: gaps[method] for method in METHODS if method in gaps}
