"""Pictures of the small trainings: what was learned, and the amount over training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.panels import make_panels, save_panels
from tst_mm.augment.operators import DEFAULT_OPERATORS

from .matrix import TASKS

#: Values by task, method and seed.
Cells = Mapping[str, Mapping[str, Mapping[int, Any]]]


def draw_headline(
    gaps: Mapping[str, Mapping[str, float]], tasks: Sequence[str], ours: str, path: Path
) -> None:
    """Draw how far each method is from the best rival of each task, the best worst case on top.

    Args:
        gaps: Points over the best rival, by title of the method and of the task; the lines of
            those that were not run on every task are the lower ones.
        tasks: All tasks, in the order of the legend.
        ours: The method whose name stands out.
        path: The file, PNG.
    """
    order = sorted(gaps, key=lambda title: (len(gaps[title]), min(gaps[title].values())))
    figure, (axes,) = make_panels(1, 9.2, 0.36 * len(order) + 1.1)
    for place, title in enumerate(order):
        worst, best = min(gaps[title].values()), max(gaps[title].values())
        color = '#3465a4' if title == ours else '0.75'
        axes.plot([worst, best], [place, place], color=color, lw=5, alpha=0.5, zorder=1)
    for task, color, marker in zip(tasks, plt.get_cmap('tab10').colors, 'osD^v<>P', strict=False):
        places = [place for place, title in enumerate(order) if task in gaps[title]]
        values = [gaps[order[place]][task] for place in places]
        axes.plot(values, places, marker, color=color, ms=6, label=task, ls='none')
    axes.axvline(0, color='0.4', lw=0.8)
    axes.set_yticks(range(len(order)), order)
    for label in axes.get_yticklabels():
        label.set_fontweight('bold' if label.get_text() == ours else 'normal')
    axes.set_xlabel('points over the best rival of the task')
    figure.legend(loc='outside right upper', fontsize=8, frameon=False)
    save_panels(figure, path)


def draw_learned(policies: Cells, known: Cells, path: Path) -> None:
    """Draw how far TST moved the logit of each rate, a panel a task, a dot a seed.

    Dots are full where the effect is known to its stage.

    Args:
        policies: By task, method and seed, how far each logit was moved.
        known: By the same, whether each effect is known.
        path: The file, PNG.
    """
    found = {task: values['tst'] for task, values in policies.items() if values.get('tst')}
    figure, panels = make_panels(len(found), 2.9, 3.4, columns=4, sharey=True)
    places = np.arange(len(DEFAULT_OPERATORS))[::-1]
    for axes, (task, seeds) in zip(panels, found.items(), strict=False):
        for seed, values in seeds.items():
            sure = np.array(known[task]['tst'][seed])
            axes.plot(np.array(values)[sure], places[sure], 'o', color='#3465a4', alpha=0.7, ms=4)
            axes.plot(np.array(values)[~sure], places[~sure], 'o', mfc='none', mec='0.6', ms=4)
        axes.axvline(0, color='0.4', lw=0.8)
        axes.set_title(TASKS[task].title, fontsize=8)
        axes.tick_params(labelsize=8)
    panels[0].set_yticks(places, DEFAULT_OPERATORS)
    figure.supxlabel('logit of the rate, less that of the prior', fontsize=9)
    save_panels(figure, path)


def draw_amounts(amounts: Cells, path: Path) -> None:
    """Draw the fraction over training, a panel a task, a line a seed.

    Lines are those of TST; where a task has none yet, of the amount alone, with either prior.

    Args:
        amounts: By task, method and seed, lines of step, fraction and gap.
        path: The file, PNG.
    """
    found = {}
    for task, methods in amounts.items():
        for method in ('tst', 'amount', 'amount-four'):
            if any(methods.get(method, {}).values()):
                found[task] = methods[method]
                break
    figure, panels = make_panels(len(found), 3.6, 2.4, columns=3)
    for axes, (task, lines) in zip(panels, found.items(), strict=False):
        for line in lines.values():
            steps, fractions, _ = np.array([[0, 1.0, 0.0], *line]).T
            axes.plot(100 * steps / TASKS[task].budget, fractions, color='#3465a4', alpha=0.6)
        axes.set(xlim=(0, 60), ylim=(-0.03, 1.03), yticks=(0, 0.5, 1))
        axes.set_title(TASKS[task].title, fontsize=9)
        axes.tick_params(labelsize=8)
    figure.supxlabel('training, % (released at 60)', fontsize=9)
    figure.supylabel('fraction augmented', fontsize=9)
    save_panels(figure, path)
