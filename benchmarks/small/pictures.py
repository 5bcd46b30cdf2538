"""Pictures of the small trainings: what was learned, and the amount over training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.panels import make_panels, save_panels
from tst_mm.augment.operators import DEFAULT_OPERATORS

from .matrix import TASKS

#: Values by task, method and seed.
Cells = Mapping[str, Mapping[str, Mapping[int, Any]]]


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
