"""Where policies ended: rate, magnitude and physical value of every operator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figure import BAND, GREY, INK, PALETTE, WIDTH, styled
from .history import History

_MARKERS = 'os^DvPX'


@styled()
def plot_final_policy(histories: Mapping[str, History]) -> Figure:
    """Draw the last rate and magnitude of each operator, of one run or of several.

    For a single run a grey bar leads from the start to the dot, and the physical value is written
    beside the magnitude. For several runs the bar spans them: it is short where they agree.

    Args:
        histories: The histories of at least one run, by the name that the legend shows.

    Returns:
        The figure; see :func:`save_figure`.

    Raises:
        ValueError: There is no history.
    """
    if not histories:
        raise ValueError('no run to draw; allowed: at least one')
    names = operator_names(histories)
    figure = Figure(figsize=(WIDTH, 0.24 * len(names) + 0.9), layout='constrained')
    left, right = figure.subplots(1, 2, sharey=True)
    single = len(histories) == 1
    for axes, what in ((left, 'rates'), (right, 'magnitudes')):
        values = _table(histories, f'final_{what}', names)
        _draw_spread(axes, values, _table(histories, f'start_{what}', names))
        for i, (run, row) in enumerate(zip(histories, values, strict=True)):
            axes.plot(
                row,
                _rows(values),
                linestyle='none',
                marker=_MARKERS[i % len(_MARKERS)],
                color=PALETTE[i % len(PALETTE)],
                markersize=6 if single else 5,
                label=run,
            )
        axes.set(xlim=(-0.02, 1.02), xticks=np.linspace(0, 1, 6))
        axes.grid(axis='y', color=BAND, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(axis='y', length=0, labelcolor=INK, labelsize=9)
        axes.spines['left'].set_visible(False)
    left.set(xlabel='rate', yticks=_rows(values), yticklabels=names, ylim=(len(names) - 0.4, -0.6))
    right.set_xlabel('magnitude')
    if single:
        (history,) = histories.values()
        _write_values(left, right, history)
    else:
        figure.legend(
            *left.get_legend_handles_labels(),
            loc='outside upper center',
            ncols=min(len(histories), 4),
        )
    return figure


def operator_names(histories: Mapping[str, History]) -> list[str]:
    """The names of all operators of some runs, in the order in which they first appear."""
    return list(dict.fromkeys(name for history in histories.values() for name in history.names))


def _table(histories: Mapping[str, History], what: str, names: list[str]) -> np.ndarray:
    """The values of S runs for N named operators, (S, N); NaN where a run has none."""
    known = [dict(zip(run.names, getattr(run, what), strict=True)) for run in histories.values()]
    return np.array([[values.get(name, np.nan) for name in names] for values in known])


def _rows(values: np.ndarray) -> np.ndarray:
    return np.arange(values.shape[1])


def _draw_spread(axes: Axes, values: np.ndarray, starts: np.ndarray) -> None:
    """Draw bars from the smallest to the largest value; for a single run from start to end."""
    ends = values if len(values) > 1 else np.concatenate((values, starts))
    known = np.isfinite(values).all(0)
    low, high = ends[:, known].min(0), ends[:, known].max(0)
    axes.hlines(_rows(values)[known], low, high, color=GREY, linewidth=2, alpha=0.5)
    if len(values) == 1:
        axes.plot(starts[0, known], _rows(values)[known], '|', color=GREY, markersize=7)


def _write_values(left: Axes, right: Axes, history: History) -> None:
    """Write the rate and the physical value to the right edge of each row."""
    style = {'xycoords': ('axes fraction', 'data'), 'textcoords': 'offset points', 'fontsize': 8}
    for row, (rate, physical) in enumerate(zip(history.final_rates, history.physical, strict=True)):
        for axes, text in ((left, f'{rate:.0%}'), (right, physical)):
            axes.annotate(text, xy=(1, row), xytext=(6, 0), va='center', **style)
