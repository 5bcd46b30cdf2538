"""Small pictures for the data tools."""

from pathlib import Path

import cv2
import numpy as np


def write_picture(path, height=8, width=8, value=0) -> None:
    """Write noise; ``value`` seeds it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(value).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)
