"""Whether several runs, such as the seeds of one config, found the same policy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figure import SHADES, WIDTH, rounded, styled
from .history import History


@styled()
def plot_agreement(histories: Mapping[str, History]) -> Figure:
    """Draw how far apart the final policies of runs are, pair by pair.

    Left: the mean absolute difference over all rates and magnitudes; on the diagonal the mean
    distance of the run itself from its start, to compare with. Right: the cosine of the directions
    in which two runs moved: 1 is the same direction, 0 none in common. Only operators that all runs
    have count.

    Args:
        histories: The histories of at least two runs, by the name of the run.

    Returns:
        The figure; see :func:`save_figure`.

    Raises:
        ValueError: There are fewer than two runs, or they have no operator in common.
    """
    if len(histories) < 2:
        raise ValueError(f'{len(histories)} run(s) to compare; allowed: at least 2')
    distance, cosine = compare_policies(histories)
    count = len(histories)
    side = min(0.9 + 0.55 * count, 0.47 * WIDTH)
    figure = Figure(figsize=(WIDTH, side + 0.6), layout='constrained')
    panels = figure.subplots(1, 2, sharey=True)
    title = 'mean difference (diagonal: from the start)'
    _draw(panels[0], distance, max(distance.max(), 0.01), title, list(histories))
    _draw(panels[1], cosine, 1.0, 'direction in common (cosine)', list(histories))
    return figure


def compare_policies(histories: Mapping[str, History]) -> tuple[np.ndarray, np.ndarray]:
    """Compute the distances and cosines of final policies; see :func:`plot_agreement`.

    Returns:
        Two arrays, (S, S) each for S runs: the distances and the cosines. A run that did not move
        has cosine NaN with the others.
    """
    runs = list(histories.values())
    shared = [name for name in runs[0].names if all(name in run.names for run in runs)]
    if not shared:
        raise ValueError('the runs have no operator in common')
    finals, starts = np.array([_values(run, shared) for run in runs]).swapaxes(0, 1)
    known = np.isfinite(finals).all(0)
    finals, moves = finals[:, known], (finals - starts)[:, known]
    distance = np.abs(finals[:, None] - finals[None]).mean(-1)
    np.fill_diagonal(distance, np.abs(moves).mean(-1))
    lengths = np.linalg.norm(moves, axis=1)
    lengths[lengths < 1e-6] = np.nan
    return distance, (moves @ moves.T) / np.outer(lengths, lengths)


def _values(run: History, names: list[str]) -> np.ndarray:
    """Last and first rates and magnitudes of the n operators that are named, (2, 2 n)."""
    index = [run.names.index(name) for name in names]
    final = np.concatenate((run.final_rates[index], run.final_magnitudes[index]))
    return np.stack((final, np.concatenate((run.start_rates[index], run.start_magnitudes[index]))))


def _draw(axes: Axes, values: np.ndarray, top: float, title: str, names: list[str]) -> None:
    """Draw a matrix of shades with the numbers written in."""
    count = len(values)
    # imshow would draw an image, whose surroundings stay light on a dark page.
    axes.pcolormesh(np.nan_to_num(values), vmin=0, vmax=top, cmap=SHADES, linewidth=0)
    for i, j in np.ndindex(values.shape):
        text = '–' if np.isnan(values[i, j]) else rounded(values[i, j])
        ink = 'black' if values[i, j] > 0.55 * top else 'white'
        size = 8 if count <= 8 else 6
        axes.text(j + 0.5, i + 0.5, text, ha='center', va='center', color=ink, fontsize=size)
    places = np.arange(count) + 0.5
    axes.set(xticks=places, yticks=places, ylim=(count, 0), aspect='equal')
    axes.set_xticklabels(names, rotation=30, ha='right')
    axes.set_yticklabels(names)
    axes.tick_params(length=0)
    axes.set_title(title, loc='left')
    for spine in axes.spines.values():
        spine.set_visible(False)
