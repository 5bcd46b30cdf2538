"""MMEngine's checkpoints made safe: written completely or not at all, old ones removed last."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from tst_mm.utils.files import put_in_place, temporary_name


class LateRemoval:
    """A file backend that removes files only once what replaces them is there.

    ``CheckpointHook`` makes room before it saves; if saving then fails, nothing would be left.

    Args:
        backend: MMEngine's file backend, which does everything else.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._waiting: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        """Remember to remove a file."""
        self._waiting.append(path)

    def flush(self, saved: set[Path]) -> None:
        """Remove what waits for it.

        Args:
            saved: Files written since, which stay.
        """
        waiting, self._waiting = self._waiting, []
        for path in waiting:
            if Path(path) not in saved and self._backend.isfile(path):
                remove_checkpoint(path, self._backend.remove)


def student_path(checkpoint: str | Path) -> Path:
    """The student file beside a checkpoint."""
    path = Path(checkpoint)
    return path.with_name(f'student_{path.name}')


def remove_checkpoint(path: str | Path, remove: Callable[[str], None] | None = None) -> None:
    """Remove a checkpoint that may be there and its student file, which never stays alone.

    Args:
        path: Of the checkpoint.
        remove: How to remove the checkpoint. Defaults to the local file system's way.
    """
    student_path(path).unlink(missing_ok=True)
    if remove is None:
        Path(path).unlink(missing_ok=True)
    else:
        remove(str(path))


def late_removals(runner: Runner) -> list[LateRemoval]:
    """Put :class:`LateRemoval` in place in all of a run's ``CheckpointHook``."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
    for hook in hooks:
        if not isinstance(hook.file_backend, LateRemoval):
            hook.file_backend = LateRemoval(hook.file_backend)
    return [hook.file_backend for hook in hooks]


def save_completely(
    save: Callable[..., None], after: Callable[[Path], None]
) -> Callable[..., None]:
    """The runner's ``save_checkpoint``, but a file is complete or absent at every moment.

    Folders on remote storage are left to MMEngine.

    Args:
        save: ``runner.save_checkpoint``.
        after: Called with the path of a finished checkpoint, on the main process.
    """

    @wraps(save)
    def wrapper(out_dir: str, filename: str, *args: Any, **kwargs: Any) -> None:
        backend = get_file_backend(out_dir, backend_args=kwargs.get('backend_args'))
        if not is_main_process() or not isinstance(backend, LocalBackend):
            return save(out_dir, filename, *args, **kwargs)
        path = Path(out_dir, filename)
        temporary = temporary_name(path)
        try:
            save(out_dir, temporary.name, *args, **kwargs)
            put_in_place(temporary, path)
            after(path)
        except OSError as error:
            # What torch and MMEngine raise names no file.
            raise OSError(error.errno, error.strerror, str(path)) from error
        finally:
            temporary.unlink(missing_ok=True)

    return wrapper
