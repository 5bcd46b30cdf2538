"""The pictures of the page of results."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from .book import Book
from .matrix import BASELINES, METHODS, STUDENTS, TASKS

_COLORS = {'kd': '#3465a4', 'random': '#c4651d'}


def draw_all(book: Book, folder: Path) -> list[Path]:
    """Draw what there is data for.

    Returns:
        The files written.
    """
    drawn = {
        'results_differences.png': _differences(book),
        'results_policies.png': _policies(book),
        'results_confidence.png': _confidence(book),
    }
    paths = []
    for name, figure in drawn.items():
        path = folder / name
        figure.savefig(path, dpi=110, metadata={'Software': None})
        plt.close(figure)
        paths.append(path)
    return paths


def _differences(book: Book) -> plt.Figure:
    """A panel a task: every seed as a dot, the mean with its bootstrap interval."""
    tasks = [task for task in book.tasks() if book.gap(task, 'tst', 'kd')]
    columns = max(1, min(3, len(tasks)))
    lines = max(1, -(-len(tasks) // columns))
    figure, panels = plt.subplots(
        lines, columns, figsize=(4.4 * columns, 3.0 * lines), squeeze=False, layout='constrained'
    )
    for axes in panels.flat[len(tasks) :]:
        axes.axis('off')
    for axes, task in zip(panels.flat, tasks, strict=False):
        methods = [m for m in book.methods(task, STUDENTS) if m not in ('plain', *BASELINES)]
        for shift, other in zip((0.16, -0.16), BASELINES, strict=True):
            for y, method in enumerate(reversed(methods)):
                _one_difference(axes, book, task, method, other, y + shift)
        axes.axvline(0, color='0.4', lw=0.8)
        axes.set_ylim(-0.6, len(methods) - 0.4)
        axes.set_yticks(range(len(methods)), [METHODS[m].title for m in reversed(methods)])
        axes.set_title(TASKS[task].title, fontsize=10)
        axes.set_xlabel(f'difference in {TASKS[task].head}', fontsize=9)
        axes.tick_params(labelsize=8)
    handles = [
        plt.Line2D([], [], color=_COLORS[o], marker='o', label=f'over {METHODS[o].title}')
        for o in BASELINES
    ]
    return _with_legend(figure, handles)


def _one_difference(axes: Axes, book: Book, task: str, method: str, other: str, y: float) -> None:
    gap = book.gap(task, method, other)
    if gap is None:
        return
    values, baseline = book.values(task, method), book.values(task, other)
    dots = [values[seed] - baseline[seed] for seed in values.keys() & baseline.keys()]
    axes.plot(dots, [y] * len(dots), '.', color=_COLORS[other], alpha=0.35, ms=5)
    axes.plot(gap.bootstrap, [y, y], '-', color=_COLORS[other], lw=1.8)
    axes.plot(gap.mean, y, 'o', color=_COLORS[other], ms=5)


def _policies(book: Book) -> plt.Figure:
    """A panel a task: rates of every seed, the mean of the magnitudes beside them."""
    tasks = [t for t in book.tasks() if any(r.policy for r in book.seeds(t, 'tst').values())]
    figure, panels = _row_of_panels(len(tasks), 2.7, 4.2)
    for axes, task in zip(panels, tasks, strict=False):
        found = [row.policy for row in book.seeds(task, 'tst').values() if row.policy]
        names = list(found[0])
        y = np.arange(len(names))[::-1]
        for column, marker, color in ((0, 'o', '#3465a4'), (1, 'D', '#c4651d')):
            for policy in found:
                values = [policy[name][column] for name in names]
                shown = [(v, at) for v, at in zip(values, y, strict=True) if v is not None]
                axes.plot(*zip(*shown, strict=True), marker, color=color, alpha=0.45, ms=4)
        axes.axvline(0.5, color='0.4', lw=0.8)
        axes.set_yticks(y, names)
        axes.set_xlim(-0.03, 1.03)
        axes.set_title(TASKS[task].title, fontsize=9)
        axes.tick_params(labelsize=8)
    handles = [
        plt.Line2D([], [], ls='', marker=marker, color=color, label=label)
        for marker, color, label in (('o', '#3465a4', 'rate'), ('D', '#c4651d', 'magnitude'))
    ]
    return _with_legend(figure, handles)


def _confidence(book: Book) -> plt.Figure:
    """Teacher and student in the true class on augmented images, over the student's training."""
    tasks = [t for t in book.tasks() if any(r.stages for r in book.seeds(t, 'tst').values())]
    figure, panels = _row_of_panels(len(tasks), 2.7, 2.8)
    for axes, task in zip(panels, tasks, strict=False):
        for row in book.seeds(task, 'tst').values():
            if not row.stages:
                continue
            looks = range(1, len(row.stages) + 1)
            axes.set_xticks(looks)
            axes.plot(looks, [s[1] for s in row.stages], '-', color='#3465a4', alpha=0.5)
            axes.plot(looks, [s[2] for s in row.stages], '-', color='#c4651d', alpha=0.5)
        axes.set_title(TASKS[task].title, fontsize=9)
        axes.set_xlabel('looks into the stages', fontsize=8)
        axes.set_ylim(0, 1)
        axes.tick_params(labelsize=8)
    handles = [
        plt.Line2D([], [], color=color, label=label)
        for color, label in (('#3465a4', 'teacher'), ('#c4651d', 'student'))
    ]
    return _with_legend(figure, handles)


def _row_of_panels(count: int, width: float, height: float) -> tuple[plt.Figure, list[Axes]]:
    """Panels side by side, of one vertical scale, in inches each; one when there is nothing."""
    count = max(1, count)
    figure, panels = plt.subplots(
        1, count, figsize=(width * count, height), squeeze=False, layout='constrained', sharey=True
    )
    return figure, list(panels.flat)


def _with_legend(figure: plt.Figure, handles: list[plt.Line2D]) -> plt.Figure:
    """The figure with one legend for all panels below them."""
    figure.legend(handles=handles, loc='outside lower center', ncols=2, fontsize=9, frameon=False)
    return figure
