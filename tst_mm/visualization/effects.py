"""What each operator does to the objective, with its interval: the evidence behind a policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .evidence import Evidence
from .figure import (
    BAND,
    BLUE,
    GREY,
    INK,
    PALETTE,
    PAPER,
    VERMILION,
    WIDTH,
    finish_panels,
    styled,
)
from .history import History

#: What a known effect means: here a negative one, below a positive one.
UP = 'the teacher knows, the student does not'
DOWN = 'the teacher fails too, or the student knows already'
#: The number of standard errors in half of a 95 % interval.
_HALF = 1.96
_MARKERS = 'os^DvPX'
_COLUMNS = 5
#: The smallest part of the axis that either side of zero has.
_SIDE = 0.3
_UNIT = 'effect on the objective, in spreads of single images'


@styled()
def plot_effects(histories: Mapping[str, History]) -> Figure:
    """Draw the effect of each operator with its 95 % interval, the most worth teaching first.

    Filled dots are known: at least two standard errors from zero. Of a single run the rate is
    written beside each, from where it began to where it is.

    Args:
        histories: The histories by the name of the run; those without evidence are left out.

    Returns:
        The figure; see :func:`save_figure`.

    Raises:
        ValueError: No history has evidence.
    """
    runs = {name: run for name, run in histories.items() if run.evidence is not None}
    if not runs:
        raise ValueError('no run has evidence; allowed: runs of a measuring search')
    single = len(runs) == 1
    names = _sorted_names(runs)
    height = 0.3 if single else 0.16 + 0.09 * len(runs)
    figure = Figure(figsize=(WIDTH, height * len(names) + 1.2), layout='constrained')
    axes = figure.subplots()
    low, high = -1e-9, 1e-9
    for k, (name, run) in enumerate(runs.items()):
        shift = 0.0 if single else 0.6 * ((k + 0.5) / len(runs) - 0.5)
        color = None if single else PALETTE[k % len(PALETTE)]
        ends = _draw_run(axes, run, names, shift, color, _MARKERS[k % len(_MARKERS)], name)
        low, high = min(low, ends[0]), max(high, ends[1])
    _frame(axes, low, high, names)
    if single:
        (run,) = runs.values()
        _write_rates(axes, run, names)
    else:
        handles = [
            Line2D([], [], color=PALETTE[k % len(PALETTE)], marker=_MARKERS[k % len(_MARKERS)])
            for k in range(len(runs))
        ]
        figure.legend(handles, list(runs), loc='outside lower center', ncols=min(len(runs), 4))
    return figure


@styled()
def plot_effect_history(history: History) -> Figure:
    """Draw the effects over the stages, one panel an operator, with bands of 95 %.

    Args:
        history: The history, which must have evidence.

    Returns:
        The figure; see :func:`save_figure`.

    Raises:
        ValueError: No history has evidence.
    """
    evidence = history.evidence
    if evidence is None:
        raise ValueError('the run has no evidence; allowed: one of a measuring search')
    count = len(history.names)
    rows = math.ceil(count / _COLUMNS)
    figure = Figure(figsize=(WIDTH, 1.25 * rows + 0.75), layout='constrained')
    panels = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes, i in zip(panels.flat, evidence.order, strict=False):
        color = _color(evidence, i)
        effect, error = evidence.effects[:, i], _HALF * evidence.errors[:, i]
        measured = np.isfinite(error)
        time, effect, error = evidence.iterations[measured], effect[measured], error[measured]
        axes.axhline(0, color=GREY, linewidth=0.7)
        axes.fill_between(time, effect - error, effect + error, color=color, alpha=0.2, linewidth=0)
        if len(time) == 1:
            axes.errorbar(time, effect, error, color=color, linewidth=1.2)
        axes.plot(time, effect, color=color, marker='o', markersize=3)
        if not len(time):
            axes.text(0.5, 0.5, 'not measured', color=GREY, ha='center', transform=axes.transAxes)
        axes.set_title(history.names[i], loc='left', fontweight='bold', color=_ink(color))
        axes.locator_params(axis='x', nbins=3)
        axes.locator_params(axis='y', nbins=4)
    handles = [
        Line2D([], [], color=color, marker='o', markersize=3, label=label)
        for color, label in ((BLUE, 'known: rate up'), (VERMILION, 'known: rate down'))
    ]
    handles.append(Line2D([], [], color=GREY, marker='o', markersize=3, label='unknown'))
    finish_panels(figure, panels, count, handles)
    figure.supxlabel('iterations of the student', fontsize=9)
    figure.supylabel('effect, in spreads of images', fontsize=9)
    return figure


def describe_effects(history: History) -> list[tuple[str, str]]:
    """Say what is known, in pairs of a statement and the operators that it holds for."""
    evidence = history.evidence
    assert evidence is not None, 'a run without evidence has nothing to say'
    groups: dict[str, list[str]] = {'up': [], 'down': [], 'unknown': []}
    for i in evidence.order:
        name, effect, error = history.names[i], evidence.effects[-1, i], evidence.errors[-1, i]
        if evidence.known[i]:
            groups['up' if effect < 0 else 'down'].append(f'{name} ({with_error(effect, error)})')
        else:
            groups['unknown'].append(name)
    return [
        (f'Rate up: {UP}', ', '.join(groups['up']) or 'no operator'),
        (f'Rate down: {DOWN}', ', '.join(groups['down']) or 'no operator'),
        (
            'Unknown, at or near the prior: the effect is less than two standard errors',
            ', '.join(groups['unknown']) or 'no operator',
        ),
    ]


def with_error(effect: float, error: float) -> str:
    """Write an effect and its standard error in figures; a dash where nothing is known."""
    if not math.isfinite(error):
        return '–'
    return f'{effect:+.2f} ± {error:.2f}'.replace('-', '−')


def _sorted_names(runs: Mapping[str, History]) -> list[str]:
    """All operators, by their mean effect over the runs that have them."""
    effects: dict[str, list[float]] = {}
    for run in runs.values():
        assert run.evidence is not None
        for i in run.evidence.order:
            effects.setdefault(run.names[i], []).append(run.evidence.effects[-1, i])
    if len(runs) == 1:
        return list(effects)
    return sorted(effects, key=lambda name: float(np.mean(effects[name])))


def _draw_run(
    axes: Axes,
    run: History,
    names: list[str],
    shift: float,
    color: str | None,
    marker: str,
    label: str,
) -> tuple[float, float]:
    """Draw the dots and intervals of a run; return where the outermost intervals end."""
    evidence = run.evidence
    assert evidence is not None
    low, high = 0.0, 0.0
    for row, name in enumerate(names):
        if name not in run.names:
            continue
        i = run.names.index(name)
        effect, half = evidence.effects[-1, i], _HALF * evidence.errors[-1, i]
        if not math.isfinite(half):
            if color is None:
                axes.text(0, row, '  not measured', color=GREY, va='center', fontsize=8)
            continue
        ink = color or _color(evidence, i)
        thick = 2.4 if color is None else 1.4
        axes.plot([effect - half, effect + half], [row + shift] * 2, color=ink, linewidth=thick)
        axes.plot(
            effect,
            row + shift,
            marker,
            color=ink,
            markersize=7 if color is None else 5,
            markerfacecolor=ink if evidence.known[i] else PAPER,
            markeredgewidth=1.4,
            label=label,
        )
        low, high = min(low, effect - half), max(high, effect + half)
    return low, high


def _frame(axes: Axes, low: float, high: float, names: list[str]) -> None:
    """Set limits with room on both sides of zero, and write what either side means."""
    low, high = 1.06 * low, 1.06 * high
    least = _SIDE / (1 - _SIDE)
    low, high = min(low, -least * high), max(high, -least * low)
    axes.axvline(0, color=GREY, linewidth=1, zorder=1)
    axes.set(xlim=(low, high), ylim=(len(names) - 0.4, -0.6), xlabel=_UNIT)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis='y', length=0, labelcolor=INK, labelsize=9)
    axes.grid(axis='y', color=BAND, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines['left'].set_visible(False)
    for side, color, words in (
        ('left', BLUE, f'← rate up\n{UP}'),
        ('right', VERMILION, f'rate down →\n{DOWN}'),
    ):
        axes.annotate(
            words,
            xy=(0 if side == 'left' else 1, 1),
            xytext=(0, 5),
            xycoords='axes fraction',
            textcoords='offset points',
            ha=side,
            multialignment=side,
            color=color,
        )


def _write_rates(axes: Axes, run: History, names: list[str]) -> None:
    """Write the rates at the start and at the end to the right edge."""
    style: dict[str, Any] = {'textcoords': 'offset points', 'fontsize': 8, 'color': INK}
    axes.annotate('rate', xy=(1, 1), xytext=(10, 5), xycoords='axes fraction', **style)
    style |= {'xycoords': ('axes fraction', 'data'), 'va': 'center'}
    for row, name in enumerate(names):
        i = run.names.index(name)
        ends = [f'{run.start_rates[i]:.0%}', f'{run.final_rates[i]:.0%}']
        text = ' → '.join(dict.fromkeys(ends))
        axes.annotate(text, xy=(1, row), xytext=(10, 0), **style)


def _color(evidence: Evidence, i: int) -> str:
    """The colour of an operator, by what is known of it."""
    if not evidence.known[i]:
        return GREY
    return BLUE if evidence.effects[-1, i] < 0 else VERMILION


def _ink(color: str) -> str:
    return INK if color == GREY else color
