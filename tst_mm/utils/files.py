"""Files that are complete or absent: written beside their place, flushed, then renamed."""

import json
import os
from pathlib import Path
from typing import Any


def temporary_name(path: str | Path) -> Path:
    """The hidden path, in the same folder, where a file is written before it takes its place."""
    path = Path(path)
    return path.with_name(f'.{path.name}.tmp')


def put_in_place(temporary: str | Path, path: str | Path) -> None:
    """Flush a finished temporary file to disk and give it its name, in one step.

    Raises:
        OSError: The disk is full or the folder cannot be written; ``path`` is then as before.
    """
    with open(temporary, 'rb') as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file that is complete or absent at every moment.

    Raises:
        OSError: The file cannot be written, as in :func:`put_in_place`; nothing is left of the
            attempt.
    """
    temporary = temporary_name(path)
    try:
        temporary.write_bytes(data)
        put_in_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | Path, data: Any) -> None:
    """Write plain data as a JSON file that is complete or absent; see :func:`write_bytes`."""
    write_bytes(path, (json.dumps(data, indent=1) + '\n').encode())
