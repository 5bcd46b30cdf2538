"""Checkpoints: read without executing what is inside, written completely, found for a resume."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from mmengine.runner import checkpoint as _  # noqa: F401  (declares what MMEngine writes)

from .files import write_bytes


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint to the CPU; nothing in it is executed.

    Beside tensors and plain types only what MMEngine writes is accepted.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is broken, holds no dictionary, or objects that loading would have to
            execute.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no checkpoint {str(path)!r} (from {Path.cwd()})')
    try:
        loaded = torch.load(path, map_location='cpu', weights_only=True)
    except UnpicklingError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f'{path} holds more than weights and is not loaded: {reason}') from error
    except Exception as error:  # anything may come out of broken bytes
        raise ValueError(f'{path} is no checkpoint, or cut short: {error}') from error
    if not isinstance(loaded, dict):
        raise ValueError(
            f'{path} holds a {type(loaded).__name__} and is no checkpoint; allowed: a dictionary'
        )
    return loaded


def write_checkpoint(path: str | Path, content: Mapping[str, Any]) -> int:
    """Write tensors and plain types; the file is complete or absent at every moment.

    Returns:
        Its size in bytes.

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    write_bytes(path, buffer.getvalue())
    return buffer.tell()


def latest_checkpoint(work_dir: str | Path) -> Path | None:
    """The checkpoint that a resume of a work folder goes on from; None where there is none.

    It is what ``last_checkpoint`` names, looked for in the folder itself, which may have been moved
    since; and where the name is missing (a run killed while it wrote it) the newest complete one.

    Raises:
        ValueError: The file is cut short or gone; the error names the newest complete one.
    """
    folder = Path(work_dir)
    try:
        name = Path((folder / 'last_checkpoint').read_text().strip()).name
    except FileNotFoundError:
        name = ''
    if name:
        return check_complete(folder / name)
    return next(iter(_complete_checkpoints(folder)), None)


def check_complete(path: str | Path) -> Path:
    """Return the path of a checkpoint that can be resumed from.

    The end of the file is looked at, not all of it.

    Raises:
        ValueError: It is cut short or gone; the error names the newest complete one beside it.
    """
    path = Path(path)
    if _is_complete(path):
        return path
    others = _complete_checkpoints(path.parent)
    hint = f'the newest complete one: --resume {others[0]}' if others else 'there is no other'
    raise ValueError(f'{path} is {"cut short" if path.exists() else "not there"}; {hint}')


def _is_complete(path: Path) -> bool:
    # torch writes zip archives, whose directory comes last; DeepSpeed writes folders.
    return path.is_dir() or zipfile.is_zipfile(path)


def _complete_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints of a run with its whole state, the newest first."""
    partial = ('student_', 'best_', 'nonfinite_', '.')
    found = [path for path in folder.glob('*.pth') if not path.name.startswith(partial)]
    complete = [path for path in found if _is_complete(path)]
    return sorted(complete, key=lambda path: path.stat().st_mtime, reverse=True)
