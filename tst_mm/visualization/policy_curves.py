"""The learned rates and magnitudes over training, one panel an operator."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .figure import BAND, BLUE, GREY, VERMILION, WIDTH, finish_panels, shade_stages, styled
from .history import History

_COLUMNS = 5


@styled()
def plot_policy(history: History, end: float | None = None) -> Figure:
    """Draw how a policy moved.

    Each panel shows an operator's rate (solid) and magnitude (dashed, where it is learned) and
    writes the last rate, and the last magnitude in physical units, above. Grey bands are the
    augmenter stages; between them the policy stands still.

    Args:
        history: The history, with at least one entry; see :meth:`History.load`.
        end: The steps of the whole run, to which curves are drawn. Defaults to None, which ends at
            the last entry.

    Returns:
        The figure; see :func:`save_figure`.

    Raises:
        ValueError: The history is empty.
    """
    if not len(history):
        raise ValueError('the policy has no history: it was never trained')
    rows = math.ceil(len(history.names) / _COLUMNS)
    figure = Figure(figsize=(WIDTH, 1.25 * rows + 0.75), layout='constrained')
    panels = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    starts = np.searchsorted(history.time, [begin for begin, _ in history.bands], side='right')
    time = np.insert(history.time, starts, [begin for begin, _ in history.bands])
    time = np.concatenate(([0.0], time, [end or time[-1]]))
    for i, axes in enumerate(panels.flat[: len(history.names)]):
        shade_stages(axes, history.bands)
        axes.axhline(history.start_rates[i], color=GREY, linewidth=0.5, zorder=1)
        values = _hold(history.rates[:, i], starts, history.start_rates[i])
        axes.plot(time, values, color=BLUE)
        if history.learned[i]:
            values = _hold(history.magnitudes[:, i], starts, history.start_magnitudes[i])
            axes.plot(time, values, color=VERMILION, linestyle=(0, (3, 1.2)))
        _write_title(axes, history, i)
        axes.set(xlim=(0, time[-1]), ylim=(-0.02, 1.02), yticks=(0, 0.5, 1))
        axes.locator_params(axis='x', nbins=3)
    figure.supxlabel('optimiser steps of student and augmenter', fontsize=9)
    handles = [
        Line2D([], [], color=BLUE, label='rate'),
        Line2D([], [], color=VERMILION, linestyle=(0, (3, 1.2)), label='magnitude'),
        Patch(color=BAND, label='augmenter stage'),
    ]
    finish_panels(figure, panels, len(history.names), handles)
    return figure


def _hold(values: np.ndarray, starts: np.ndarray, start: float) -> np.ndarray:
    """Add the start, the value that holds until each stage begins, and the last at the end."""
    before = np.concatenate(([start], values))
    return np.concatenate(([start], np.insert(values, starts, before[starts]), values[-1:]))


def _write_title(axes: Axes, history: History, i: int) -> None:
    """Write the name in bold, and the last rate and magnitude in the colours of their curves."""
    axes.set_title(history.names[i], loc='left', fontweight='bold', pad=13)
    axes.annotate(
        f'{history.rates[-1, i]:.0%}',
        xy=(0, 1),
        xytext=(0, 3),
        xycoords='axes fraction',
        textcoords='offset points',
        color=BLUE,
        fontsize=8,
    )
    axes.annotate(
        history.physical[i],
        xy=(1, 1),
        xytext=(0, 3),
        xycoords='axes fraction',
        textcoords='offset points',
        color=VERMILION,
        fontsize=8,
        horizontalalignment='right',
    )
