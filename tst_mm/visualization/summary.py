"""What one run has learned in one picture: how much was augmented, and with what."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tst_mm.utils.files import write_bytes

from .amount import plot_amount
from .effects import plot_effects
from .figure import to_png
from .run_record import RunRecord

#: White pixels above, below and beside each figure.
_FRAME = ((24, 24), (24, 24), (0, 0))


def save_summary(path: str | Path, run: RunRecord) -> Path:
    """Write the figures of the effects and of the amount under each other, as PNG.

    Args:
        path: The path of the picture; its folder is there.
        run: The run; what it did not learn is left out.

    Returns:
        ``path``.

    Raises:
        ValueError: The run has neither measured effects nor an amount.
        OSError: The file cannot be written; it is then as before.
    """
    history, figures = run.history, []
    if history.evidence is not None:
        figures.append(plot_effects({run.name: history}))
    if history.amount is not None:
        figures.append(plot_amount(history.amount, run.iteration))
    if not figures:
        raise ValueError(
            f'{run.name} has learned neither a policy nor an amount; allowed: a TST run'
        )
    pictures = [np.asarray(Image.open(io.BytesIO(to_png(figure)))) for figure in figures]
    framed = [np.pad(picture, _FRAME, constant_values=255) for picture in pictures]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(framed)).save(buffer, 'png')  # all are as wide
    write_bytes(path, buffer.getvalue())
    return Path(path)
