"""The idx format, in which MNIST and its relatives are published."""

import gzip
from pathlib import Path

import numpy as np

_UINT8 = 0x08


def read_idx(path: str | Path) -> np.ndarray:
    """Read an array of bytes from an idx file.

    Args:
        path: The path of the file, compressed (``.gz``) or plain.

    Returns:
        A read-only uint8 array in the stored shape: (N, H, W) for images, (N,) for labels.

    Raises:
        ValueError: The content is not a complete idx file of bytes.
    """
    path = Path(path)
    content = path.read_bytes()
    if path.suffix == '.gz':
        content = gzip.decompress(content)
    if len(content) < 4 or content[:3] != bytes([0, 0, _UINT8]):
        raise ValueError(f'{path} is not an idx file of unsigned bytes')
    start = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:start], dtype='>u4').astype(int)
    if len(content) - start != shape.prod():
        raise ValueError(
            f'{path} is damaged: its head announces shape {tuple(shape.tolist())}, '
            f'{shape.prod()} bytes, and {len(content) - start} bytes follow'
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def write_idx(path: str | Path, array: np.ndarray) -> None:
    """Write an array of bytes as an idx file.

    Args:
        path: The file, compressed when its name ends in ``.gz``; equal arrays then give equal
            files.
        array: The uint8 array, of any shape.
    """
    if array.dtype != np.uint8:
        raise ValueError(f'an idx file here holds uint8, got {array.dtype}')
    head = bytes([0, 0, _UINT8, array.ndim]) + np.asarray(array.shape, '>u4').tobytes()
    content = head + array.tobytes()
    if Path(path).suffix == '.gz':
        content = gzip.compress(content, 9, mtime=0)
    Path(path).write_bytes(content)
