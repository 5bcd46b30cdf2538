"""Pictures of panels, one a task, that come out the same byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def make_panels(
    count: int, width: float, height: float, columns: int | None = None, **options: Any
) -> tuple[Figure, list[Axes]]:
    """Panels in rows, those that are left over without axes; one where there is nothing to show.

    Args:
        count: How many panels are drawn on.
        width: Of a panel, in inches.
        height: Of a panel, in inches.
        columns: The most panels of a row. Defaults to None, all of them in one.
        options: Further arguments of ``plt.subplots``.
    """
    columns = max(1, min(columns or count, count))
    rows = max(1, -(-count // columns))
    size = (width * columns, height * rows)
    figure, grid = plt.subplots(
        rows, columns, figsize=size, squeeze=False, layout='constrained', **options
    )
    panels = list(grid.flat)
    for axes in panels[max(1, count) :]:
        axes.axis('off')
    return figure, panels


def save_panels(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, without what changes with the version of matplotlib, and close it."""
    figure.savefig(path, dpi=110, metadata={'Software': None})
    plt.close(figure)
    return path
