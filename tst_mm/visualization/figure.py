"""The look that all figures share: palette, type sizes, saving."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tst_mm.utils.files import write_bytes

#: Colours that stay apart for every kind of colour vision (Okabe and Ito).
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW = PALETTE = (
    '#0072B2',
    '#E69F00',
    '#009E73',
    '#D55E00',
    '#CC79A7',
    '#56B4E9',
    '#F0E442',
)
INK, GREY, BAND = '#222222', '#767676', '#ECECEC'

#: Width of a figure in inches. Shown 800 pixels wide, its 9 pt type is about 12 pixels high.
WIDTH = 8.0

_STYLE = {
    'font.size': 9,
    'axes.titlesize': 9,
    'axes.edgecolor': GREY,
    'axes.linewidth': 0.6,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'xtick.color': GREY,
    'ytick.color': GREY,
    'xtick.labelsize': 8,
    'ytick.labelsize': 8,
    'xtick.major.width': 0.6,
    'ytick.major.width': 0.6,
    'text.color': INK,
    'axes.labelcolor': INK,
    'lines.linewidth': 1.6,
    'legend.frameon': False,
    'figure.facecolor': 'white',
}


def styled() -> rc_context:
    """Context, or decorator, in which figures get the shared look."""
    return rc_context(_STYLE)


def shade_stages(axes: Axes, bands: list[tuple[float, float]]) -> None:
    """Shade the augmenter stages.

    Args:
        axes: Where to draw.
        bands: Begin and end of each stage, in the units of the x axis.
    """
    for begin, end in bands:
        axes.axvspan(begin, end, color=BAND, linewidth=0, zorder=0)


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG, complete or not at all.

    Args:
        figure: Any figure.
        path: Where to; folders are made.

    Returns:
        ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=150)
    write_bytes(path, buffer.getvalue())
    return path
