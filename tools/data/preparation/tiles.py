"""Cutting large images to tiles."""

from collections.abc import Iterator


def tile_grid(height: int, width: int, size: int) -> Iterator[tuple[int, int]]:
    """Rows and columns of the whole tiles of an image; what is left at the far borders is not used.

    Args:
        height: The height of the image in pixels.
        width: The width of the image in pixels.
        size: The side of a tile in pixels.

    Yields:
        The row and the column of each tile, which begins at pixel ``(row * size, column * size)``.
    """
    for row in range(height // size):
        for column in range(width // size):
            yield row, column
