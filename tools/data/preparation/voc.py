"""Reading annotations in the format of Pascal VOC, for the preparation scripts."""

from pathlib import Path

from tst_mm.datasets.voc import VocObject
from tst_mm.datasets.voc import read_voc as read

from .errors import PreparationError

__all__ = ['VocObject', 'read_voc']


def read_voc(path: Path, height: int, width: int) -> tuple[list[VocObject], int]:
    """Read one annotation file; see :func:`tst_mm.datasets.voc.read_voc`.

    Raises:
        PreparationError: The file is no VOC annotation.
    """
    try:
        return read(path, height, width)
    except ValueError as error:
        raise PreparationError(error) from error
