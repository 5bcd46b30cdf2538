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

    Tensors, plain types and what MMEngine writes are accepted, and nothing else.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is broken, holds no dictionary, or holds objects that loading would
            have to execute.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no checkpoint {str(path)!r} (from {Path.cwd()})')
    try:
        loaded = torch.load(path, map_location='cpu', weights_only=True)
    except UnpicklingError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f'{path} holds more than weights and is not loaded: {reason}') from error
    except Exception as error:  # broken bytes may raise anything
        raise ValueError(f'{path} is no checkpoint, or cut short: {error}') from error
    if not isinstance(loaded, dict):
        raise ValueError(
            f'{path} holds a {type(loaded).__name__} and is no checkpoint; allowed: a dictionary'
        )
    return loaded


def write_checkpoint(path: str | Path, content: Mapping[str, Any]) -> int:
    """Write tensors and plain types; the file is complete or absent at every moment.

    Returns:
        The size of the file in bytes.

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    write_bytes(path, buffer.getvalue())
    return buffer.tell()


def peek_checkpoint(path: str | Path) -> dict[str, Any] | None:
    """Look at what a large checkpoint holds, without reading its tensors from the disk.

    Returns:
        The content, with tensors that are read when they are used; None where the file cannot be
        looked into like that (a folder of DeepSpeed, an old format, foreign objects).
    """
    try:
        content = torch.load(str(path), map_location='cpu', weights_only=True, mmap=True)
    except Exception:  # whoever loads the file in earnest says what is wrong with it
        return None
    return content if isinstance(content, dict) else None


def latest_checkpoint(work_dir: str | Path, *others: str | Path) -> str | None:
    """The checkpoint that a resume of a work folder goes on from; None where there is none.

    It is the checkpoint that ``last_checkpoint`` in the folder names. It is looked for in the
    folder itself, which may have been moved since, at the path that was written, and in the other
    folders. Where the name is missing, as after a run that was killed while it wrote it, it is the
    newest complete checkpoint.

    Args:
        work_dir: The work folder of the run.
        others: Further folders in which the run keeps checkpoints (``CheckpointHook.out_dir``).

    Returns:
        A path, or an address as it was written; None where there is no checkpoint.

    Raises:
        ValueError: The file is cut short or gone; the error names the newest complete one.
    """
    folders = [Path(folder) for folder in (work_dir, *others)]
    try:
        written = (folders[0] / 'last_checkpoint').read_text().strip()
    except FileNotFoundError:
        written = ''
    if '://' in written:
        return written
    if not written:
        return next(iter(map(str, _complete_checkpoints(*folders))), None)
    beside, *elsewhere = [folder / Path(written).name for folder in folders]
    places = [beside, Path(written), *elsewhere]
    found = next((place for place in places if place.exists()), beside)
    return str(check_complete(found, *folders))


def check_complete(path: str | Path, *folders: str | Path) -> Path:
    """Return the path of a checkpoint that is complete.

    The end of the file is looked at, not all of it.

    Args:
        path: The path of the checkpoint.
        folders: The folders in which to look for another one to propose, beside the checkpoint's
            own folder.

    Raises:
        ValueError: The file is cut short or gone; the error names the newest complete one.
    """
    path = Path(path)
    if _is_complete(path):
        return path
    others = _complete_checkpoints(path.parent, *map(Path, folders))
    hint = f'the newest complete one: --resume {others[0]}' if others else 'there is no other'
    raise ValueError(f'{path} is {"cut short" if path.exists() else "not there"}; {hint}')


def check_resumable(path: str | Path) -> Path:
    """Return the path of a checkpoint that holds the whole state of a run, and is complete.

    Raises:
        ValueError: The checkpoint is not complete, or holds weights only; the error says what to
            give instead.
    """
    path = check_complete(path)
    content = peek_checkpoint(path)
    if content is None or {'meta', 'message_hub'} <= content.keys():
        return path
    parent = path.with_name(path.name.removeprefix('student_'))
    if parent != path and parent.exists():
        kind, instead = "the student's weights only", f'give the checkpoint beside it: {parent}'
    else:
        kind, instead = 'weights only', 'give a checkpoint of the run (epoch_*.pth, iter_*.pth)'
    raise ValueError(
        f'--resume {path}: the file holds {kind}, not the state of a run; {instead}. To start a '
        f"new run from these weights set init_cfg=dict(type='Pretrained', checkpoint={str(path)!r})"
        " in the student's model"
    )


def files_of_runs(*folders: str | Path) -> list[Path]:
    """Checkpoints and student files that trainings have left in folders, the newest first.

    Other files, such as a teacher's weights or the evidence of ``NonFiniteHook``, do not count.
    """
    names = ('epoch_*', 'iter_*', 'best_*', 'student_*', 'interrupted*', 'augmenter_stage*')
    found = {path for folder in folders for name in names for path in _glob(folder, f'{name}.pth')}
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _is_complete(path: Path) -> bool:
    # torch writes zip archives, whose directory comes last; DeepSpeed writes folders.
    return path.is_dir() or zipfile.is_zipfile(path)


def _complete_checkpoints(*folders: Path) -> list[Path]:
    """Checkpoints of a run with its whole state, the newest first."""
    partial = ('student_', 'best_', 'nonfinite_', '.')
    found = {path for folder in folders for path in _glob(folder, '*.pth')}
    complete = [p for p in found if not p.name.startswith(partial) and _is_complete(p)]
    return sorted(complete, key=lambda path: path.stat().st_mtime, reverse=True)


def _glob(folder: str | Path, pattern: str) -> list[Path]:
    """Glob as ``Path.glob`` does; empty without such a folder, or if it lies on another machine."""
    return [] if '://' in str(folder) else list(Path(folder).glob(pattern))
