"""Cutting large images to tiles."""

from collections.abc import Iterator


def tile_grid(height: int, width: int, size: int) -> Iterator[tuple[int, int]]:
    """Rows and columns of the whole tiles of an image; what is left at the far borders is not used.

    Args:
        height: Of the image, in pixels.
        width: Of the image.
        size: Side of a tile.

    Yields:
        (row, column): the tile begins at pixel ``(row * size, column * size)``.
    """
    for row in range(height // size):
        for column in range(width // size):
            yield row, column
