"""Draws of a global batch, shared out among ranks."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from tst_mm.augment import Draw


def take(draw: Draw, index: Tensor) -> Draw:
    """The draw of the images at ``index``."""
    chosen = index.tolist()

    def positions(old: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(new for new, image in enumerate(chosen) if image in old)

    names = ('gates', 'magnitudes', 'levels', 'positions', 'extents', 'matrix')
    return replace(
        draw,
        sizes=tuple(draw.sizes[i] for i in chosen),
        acted_on=tuple(None if old is None else positions(old) for old in draw.acted_on),
        moved_images=positions(draw.moved_images),
        **{name: getattr(draw, name)[index] for name in names},
    )
