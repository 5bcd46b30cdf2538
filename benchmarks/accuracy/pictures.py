"""The pictures of the page of results."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from benchmarks.panels import make_panels, save_panels
from tst_mm.augment import LearnedAugmenter

from .book import Book
from .matrix import TASKS

#: Of the two baselines.
_COLORS = ('#3465a4', '#c4651d')


def draw_all(book: Book, folder: Path, stem: str, start: float | None = None) -> list[Path]:
    """Draw what there is data for.

    Args:
        book: What to draw.
        folder: Where to.
        stem: The begin of the names: ``STEM_differences.png``, ``STEM_policies.png``.
        start: The rate with which all operators began. Defaults to None, each with its own.

    Returns:
        The files written.
    """
    figures = {'differences': _differences(book), 'policies': _policies(book, start)}
    return [save_panels(figures[name], folder / f'{stem}_{name}.png') for name in figures]


def _differences(book: Book) -> plt.Figure:
    """A panel a task: every seed as a dot, the mean with its bootstrap interval."""
    tasks = [task for task in book.tasks() if book.gap(task, 'tst', 'kd')]
    figure, panels = make_panels(len(tasks), 4.4, 3.0, columns=3)
    for axes, task in zip(panels, tasks, strict=False):
        methods = book.methods(task, without=('plain', *book.baselines, *book.ablations))
        for shift, other, color in zip((0.16, -0.16), book.baselines, _COLORS, strict=True):
            for y, method in enumerate(reversed(methods)):
                _one_difference(axes, book, (task, method, other), y + shift, color)
        axes.axvline(0, color='0.4', lw=0.8)
        axes.set_ylim(-0.6, len(methods) - 0.4)
        axes.set_yticks(range(len(methods)), [book.titles[m] for m in reversed(methods)])
        axes.set_title(TASKS[task].title, fontsize=10)
        axes.set_xlabel(f'difference in {TASKS[task].head}', fontsize=9)
        axes.tick_params(labelsize=8)
    handles = [
        plt.Line2D([], [], color=color, marker='o', label=f'over {book.titles[other]}')
        for other, color in zip(book.baselines, _COLORS, strict=True)
    ]
    return _with_legend(figure, handles)


def _one_difference(
    axes: Axes, book: Book, where: tuple[str, str, str], y: float, color: str
) -> None:
    task, method, other = where
    gap = book.gap(task, method, other)
    if gap is None:
        return
    ours, theirs = book.values(task, method), book.values(task, other)
    dots = [ours[seed] - theirs[seed] for seed in ours.keys() & theirs.keys()]
    axes.plot(dots, [y] * len(dots), '.', color=color, alpha=0.35, ms=5)
    axes.plot(gap.bootstrap, [y, y], '-', color=color, lw=1.8)
    axes.plot(gap.mean, y, 'o', color=color, ms=5)


def _policies(book: Book, start: float | None) -> plt.Figure:
    """A panel a task: rates of every seed, where they began, the magnitudes beside them."""
    began = {operator.name: operator.rate for operator in LearnedAugmenter().operators}
    tasks = [t for t in book.tasks() if any(r.policy for r in book.seeds(t, 'tst').values())]
    figure, panels = make_panels(len(tasks), 2.7, 4.2, sharey=True)
    for axes, task in zip(panels, tasks, strict=False):
        found = [row.policy for row in book.seeds(task, 'tst').values() if row.policy]
        names = list(found[0])
        y = np.arange(len(names))[::-1]
        for column, marker, color in ((0, 'o', _COLORS[0]), (1, 'D', _COLORS[1])):
            for policy in found:
                values = [policy[name][column] for name in names]
                shown = [(v, at) for v, at in zip(values, y, strict=True) if v is not None]
                axes.plot(*zip(*shown, strict=True), marker, color=color, alpha=0.45, ms=4)
        starts = [began[name] if start is None else start for name in names]
        axes.plot(starts, y, '|', color='0.4', ms=10)
        axes.set_yticks(y, names)
        axes.set_xlim(-0.03, 1.03)
        axes.set_title(TASKS[task].title, fontsize=9)
        axes.tick_params(labelsize=8)
    handles = [
        plt.Line2D([], [], ls='', marker=marker, color=color, label=label)
        for marker, color, label in (
            ('o', _COLORS[0], 'rate'),
            ('|', '0.4', 'at first'),
            ('D', _COLORS[1], 'magnitude'),
        )
    ]
    return _with_legend(figure, handles)


def _with_legend(figure: plt.Figure, handles: list[plt.Line2D]) -> plt.Figure:
    """The figure with one legend for all panels below them."""
    figure.legend(handles=handles, loc='outside lower center', ncols=3, fontsize=9, frameon=False)
    return figure
