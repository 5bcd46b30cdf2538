"""The confidences of teacher and student on augmented images, and their gap."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figure import BLUE, INK, VERMILION, WIDTH, rounded, styled
from .history import History

_COLUMNS = 4


@styled()
def plot_confidence(history: History) -> Figure:
    """Draw the confidences over the augmenter stages.

    Samples that teach are those that the teacher is sure of and the student is not: where there is
    something to teach, there is a gap between the two curves. The gap at either end of each stage
    is written beside it.

    Stages that were logged once each are dots in one panel.

    Args:
        history: The history, which must have confidences; see :meth:`History.load`.

    Returns:
        The figure; see :func:`save_figure`.

    Raises:
        ValueError: The history has no confidences.
    """
    if not history.confident.any():
        raise ValueError('the history has no confidences: the models have no plain class loss')
    stages, counts = np.unique(history.stages[history.confident], return_counts=True)
    # Stages stand side by side: on the axis of the whole run they would be slits.
    parts = [[stage] for stage in stages] if counts.max() > 1 else [list(stages)]
    columns = min(len(parts), _COLUMNS)
    rows = math.ceil(len(parts) / columns)
    figure = Figure(figsize=(WIDTH, 0.5 + 1.9 * rows), layout='constrained')
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes in panels.flat[len(parts) :]:
        axes.set_axis_off()
    for axes, part in zip(panels.flat, parts, strict=False):
        _draw(axes, history, history.confident & np.isin(history.stages, part))
    panels[0, 0].set_ylabel('confidence', color=INK)
    panels[0, 0].legend(loc='best')
    figure.supxlabel('optimiser steps of student and augmenter', fontsize=9)
    return figure


def _draw(axes: Axes, history: History, here: np.ndarray) -> None:
    """Draw the entries of one stage, or one entry of each stage."""
    time, teacher, student = history.time[here], history.teacher[here], history.student[here]
    stages = history.stages[here]
    gap = [rounded(value) for value in teacher - student]
    order = list(dict.fromkeys(history.stages))
    begin, _ = history.bands[order.index(stages[0])]
    _, end = history.bands[order.index(stages[-1])]
    dots = {}
    if len(time) == 1:  # it is a mean over the whole stage
        time = np.array([begin, end])
        teacher, student = teacher.repeat(2), student.repeat(2)
    elif stages[0] != stages[-1]:
        dots = {'marker': 'o', 'markersize': 5, 'clip_on': False}
    axes.fill_between(time, student, teacher, color=BLUE, alpha=0.12, linewidth=0)
    axes.plot(time, teacher, color=BLUE, label='teacher', **dots)
    axes.plot(time, student, color=VERMILION, linestyle=(0, (3, 1.2)), label='student', **dots)
    first, last = stages[0] + 1, stages[-1] + 1
    name = f'stage {first}' if first == last else f'stages {first} to {last}'
    axes.set_title(f'{name}: gap {" to ".join(dict.fromkeys((gap[0], gap[-1])))}', loc='left')
    axes.set(xlim=(begin, end), ylim=(0, 1.02), yticks=(0, 0.5, 1))
    axes.locator_params(axis='x', nbins=4)
