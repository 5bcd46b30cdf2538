"""The look that all figures share: palette, type sizes, the dark variant, saving."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import is_color_like, to_hex
from matplotlib.figure import Figure
from PIL import Image

from tst_mm.utils.files import write_bytes

#: The colours, which every kind of colour vision can tell apart (Okabe and Ito).
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW = PALETTE = (
    '#0072B2',
    '#E69F00',
    '#009E73',
    '#D55E00',
    '#CC79A7',
    '#56B4E9',
    '#F0E442',
)
INK, GREY, BAND, PAPER = '#222222', '#767676', '#ECECEC', '#FFFFFF'
#: The shades of values from 0 to 1, behind black and white numbers.
SHADES = 'cividis'
#: The colours on a dark page in place of these; the other colours are light enough.
_DARK = {
    INK: '#E6E6E6',
    GREY: '#9AA0A8',
    BAND: '#30343B',
    PAPER: '#16181D',
    BLUE: '#4A9BE0',
    VERMILION: '#F0813C',
}

#: The width of a figure in inches. Shown 800 pixels wide, its 9 pt type is about 12 pixels high.
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
    'figure.facecolor': PAPER,
    'axes.facecolor': PAPER,
}


def styled() -> rc_context:
    """Give a context, which is also a decorator, in which figures get the shared look."""
    return rc_context(_STYLE)


def shade_stages(axes: Axes, bands: list[tuple[float, float]]) -> None:
    """Shade the augmenter stages.

    Args:
        axes: The axes to draw on.
        bands: The begin and the end of each stage, in the units of the x axis.
    """
    for begin, end in bands:
        axes.axvspan(begin, end, color=BAND, linewidth=0, zorder=0)


def finish_panels(figure: Figure, panels: np.ndarray, used: int, handles: list[Artist]) -> None:
    """Tidy a grid of panels with a shared x axis: the last of each column is labelled.

    Args:
        figure: The figure of the panels.
        panels: The axes of the panels, (rows, columns).
        used: The number of panels that show something.
        handles: The handles of the legend, which goes into the first empty panel, or above all of
            them.
    """
    columns = panels.shape[1]
    for axes in panels.flat[used:]:
        axes.set_axis_off()
    for axes in panels.flat[max(0, used - columns) : used]:
        axes.tick_params(labelbottom=True)
    if used < panels.size:
        panels.flat[used].legend(handles=handles, loc='center left', borderaxespad=0)
    else:
        figure.legend(handles=handles, loc='outside upper center', ncols=len(handles))


def rounded(value: float) -> str:
    """Write a number with two decimals, and never as minus zero."""
    return f'{round(value, 2) + 0.0:.2f}'


def darken(figure: Figure) -> Figure:
    """Give a figure the colours of a dark page; photographs and what is drawn on them stay.

    Args:
        figure: A figure that was drawn once; it is changed.

    Returns:
        The same figure.
    """
    figure.set_layout_engine('none')  # the layout of the light variant holds
    dark = {color.lower(): new for color, new in _DARK.items()}
    kept = {id(artist) for axes in figure.axes if axes.images for artist in axes.findobj()}
    for artist in figure.findobj():
        if id(artist) not in kept:
            _recolor(artist, dark)
    return figure


def to_png(figure: Figure) -> bytes:
    """Give a figure as the content of a PNG file with 150 pixels per inch."""
    figure.set_dpi(150)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # draws once, where savefig would draw twice
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).save(buffer, 'png')
    return buffer.getvalue()


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG, complete or not at all.

    Args:
        figure: The figure.
        path: The path of the file; missing folders are made.

    Returns:
        ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, to_png(figure))
    return path


def _recolor(artist: Artist, colors: dict[str, str]) -> None:
    """Replace the colours of an artist by ``colors``; its transparency stays."""
    for part in ('color', 'facecolor', 'edgecolor', 'markerfacecolor', 'markeredgecolor'):
        color = getattr(artist, f'get_{part}', lambda: None)()
        if getattr(color, 'shape', ())[:1] == (1,):  # the artist is a collection in one colour
            color = color[0]
        if is_color_like(color) and (new := colors.get(to_hex(color))):
            alpha = color[3] if not isinstance(color, str) and len(color) == 4 else None
            getattr(artist, f'set_{part}')(new if alpha is None else (new, alpha))
