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
                # Its student first: a run killed in between leaves none without a checkpoint.
                Path(path).with_name(f'student_{Path(path).name}').unlink(missing_ok=True)
                self._backend.remove(path)


def late_removals(runner: Runner) -> list[LateRemoval]:
    """Put :class:`LateRemoval` in place in all of a run's ``CheckpointHook``."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
    for hook in hooks:
        if not isinstance(hook.file_backend, LateRemoval):
            hook.file_backend = LateRemoval(hook.file_backend)
    return [hook.file_backend for hook in hooks]


def save_completely(
    save: Callable[..., None], work_dir: str, after: Callable[[Path], None]
) -> Callable[..., None]:
    """The runner's ``save_checkpoint``, but a file is complete or absent at every moment.

    Folders on remote storage are left to MMEngine.

    Args:
        save: ``runner.save_checkpoint``.
        work_dir: Of the run; to name the last good checkpoint when saving fails.
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
            raise OSError(
                error.errno, f'{error.strerror}; {_last_good(work_dir)}', str(path)
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    return wrapper


def _last_good(work_dir: str) -> str:
    try:
        path = Path(work_dir, 'last_checkpoint').read_text().strip()
    except OSError:
        return 'there is no earlier checkpoint'
    return f'the last good checkpoint is {path}'
