"""Fidelity: how far fitted and closed-form operators are from the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from tst_mm.augment import Normalization
from tst_mm.augment.draw import compose
from tst_mm.augment.operators import (
    ColorOperator,
    ImageInfo,
    Operator,
)
from tst_mm.augment.warp import warp_images
from tst_mm.experiments import markdown_table
from tst_mm.paper import FittedColor, FittedGeometric
from tst_mm.paper.composition import UnlimitedInfo
from tst_mm.registry import OPERATORS
from tst_mm.visualization.figure import BLUE, GREY, VERMILION, WIDTH, styled

from .truth import existing, to_unit, true_images

#: The number of magnitudes at which errors are measured, for one sign.
_LEVELS = 11
_COLUMNS = 4


def measure(weights: Path, limits: Mapping[str, float], images: Tensor) -> dict[str, Any]:
    """Measure mean squared errors, in squared grey values from 0 to 255.

    Args:
        weights: The file of encoders.
        limits: The range of each operator that is measured, by its name.
        images: The images (n, 3, H, W) uint8, other ones than those of the fit.

    Returns:
        For each operator the operator levels ``levels``; at each of them the errors ``identity``
        (doing nothing), ``fitted`` and ``closed_form``; and the ``mean`` of each error over the
        levels.
    """
    report = {}
    for name, limit in limits.items():
        closed = OPERATORS.get(name)(limit=limit)
        kind = FittedColor if isinstance(closed, ColorOperator) else FittedGeometric
        fitted = kind(name, weights)
        levels = torch.linspace(0, 1, _LEVELS)
        if closed.signed:
            levels = torch.cat((-levels.flip(0)[:-1], levels))
        levels = existing(closed, levels).unique()
        errors: dict[str, list[float]] = {'identity': [], 'fitted': [], 'closed_form': []}
        unit = to_unit(images)
        for level in levels.tolist():
            target = to_unit(true_images(closed, images, level))
            errors['identity'].append(_error(unit, target))
            errors['fitted'].append(_error(_apply(fitted, unit, level), target))
            errors['closed_form'].append(_error(_apply(closed, unit, level), target))
        mean = {key: sum(values) / len(values) for key, values in errors.items()}
        report[name] = {'levels': levels.tolist(), **errors, 'mean': mean}
    return report


def table(report: Mapping[str, Any]) -> str:
    """Make a Markdown table of the means."""
    rows = []
    for name, entry in report.items():
        nothing, fitted, closed = (
            entry['mean'][key] for key in ('identity', 'fitted', 'closed_form')
        )
        ratio = fitted / nothing
        rows.append([name, f'{nothing:.1f}', f'{fitted:.1f}', f'{ratio:.2f}', f'{closed:.2f}'])
    head = ('operator', 'doing nothing', 'fitted', 'fitted / nothing', 'closed form')
    return markdown_table(head, rows)


@styled()
def plot(report: Mapping[str, Any]) -> Figure:
    """Draw the root mean squared error over the magnitude, with a panel for each operator."""
    rows = -(-(len(report) + 1) // _COLUMNS)
    figure = Figure(figsize=(WIDTH, 1.5 * rows), layout='constrained')
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).flat
    looks = {
        'identity': ('doing nothing', GREY, '-'),
        'fitted': ('fitted', VERMILION, '-'),
        'closed_form': ('closed form', BLUE, '-'),
    }
    for axes, (name, entry) in zip(panels, report.items(), strict=False):
        for key, (label, color, line) in looks.items():
            roots = [value**0.5 for value in entry[key]]
            axes.plot(entry['levels'], roots, color=color, linestyle=line, label=label)
        axes.set_title(name, loc='left', fontweight='bold')
        axes.set(xlim=(entry['levels'][0], 1), ylim=(-1, None))
    handles, labels = panels[0].get_legend_handles_labels()
    panels[len(report)].legend(handles, labels, loc='center left', borderaxespad=0)
    for axes in list(panels)[len(report) :]:
        axes.set_axis_off()
    figure.supxlabel('magnitude with sign', fontsize=9)
    figure.supylabel('root mean squared error, grey values', fontsize=9)
    return figure


@torch.no_grad()
def _apply(operator: Operator, images: Tensor, level: float) -> Tensor:
    """Apply an operator to RGB images in [0, 1], as the pipelines do."""
    count, _, height, width = images.shape
    levels = torch.full((count, 1), level)
    if isinstance(operator, ColorOperator):
        # The reference does not clamp colours.
        kind = UnlimitedInfo if isinstance(operator, FittedColor) else ImageInfo
        info = kind(Normalization().luma(3))
        return operator.apply(images, levels.view(-1, 1, 1, 1), info)
    extents = torch.tensor([[height, width]], dtype=torch.float32).expand(count, 2)
    return warp_images(images, compose((operator,), torch.ones(count, 1), levels, extents))


def _error(images: Tensor, target: Tensor) -> float:
    return ((images - target) * 255).square().mean().item()
