"""The confidences of teacher and student on augmented images, and their gap."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from .figure import BLUE, INK, VERMILION, WIDTH, rounded, styled
from .history import History

_COLUMNS = 4


@styled()
def plot_confidence(history: History) -> Figure:
    """Draw the confidences over the augmenter stages.

    Samples that teach are those that the teacher is sure of and the student is not: a stage does
    its work when the gap between the two curves opens. The gap at either end of each stage is
    written beside it.

    Args:
        history: Of at least one entry; see :meth:`History.load`.

    Returns:
        The figure; see :func:`save_figure`.

    Raises:
        ValueError: When the history is empty.
    """
    if not len(history):
        raise ValueError('the policy has no history: it was never trained')
    count = len(history.bands)
    columns = min(count, _COLUMNS)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(WIDTH, 0.5 + 1.9 * rows), layout='constrained')
    # Stages stand side by side: on the axis of the whole run they would be slits.
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes in panels.flat[count:]:
        axes.set_axis_off()
    stages = np.unique(history.stages)
    for axes, stage, band in zip(panels.flat, stages, history.bands, strict=False):
        here = history.stages == stage
        time, teacher, student = history.time[here], history.teacher[here], history.student[here]
        axes.fill_between(time, student, teacher, color=BLUE, alpha=0.12, linewidth=0)
        axes.plot(time, teacher, color=BLUE, label='teacher')
        axes.plot(time, student, color=VERMILION, linestyle=(0, (3, 1.2)), label='student')
        gap = teacher - student
        axes.set_title(
            f'stage {stage + 1}: gap {rounded(gap[0])} to {rounded(gap[-1])}', loc='left'
        )
        axes.set(xlim=band, ylim=(0, 1.02), yticks=(0, 0.5, 1))
        axes.locator_params(axis='x', nbins=4)
    panels[0, 0].set_ylabel('confidence', color=INK)
    panels[0, 0].legend(loc='best')
    figure.supxlabel('optimiser steps of student and augmenter', fontsize=9)
    return figure
