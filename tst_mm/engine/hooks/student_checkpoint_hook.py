"""StudentCheckpointHook: a plain student file beside every checkpoint; complete or absent."""

import io
from functools import wraps
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tst_mm.engine.student_weights import student_checkpoint, student_config
from tst_mm.engine.unwrap import unwrap_model
from tst_mm.registry import HOOKS
from tst_mm.utils.files import put_in_place, temporary_name, write_bytes


@HOOKS.register_module()
class StudentCheckpointHook(Hook):
    """Write ``student_<name>.pth`` beside every checkpoint of the runner: last, best, interrupted.

    The file loads in plain mmpretrain, mmdet or mmseg; see
    :func:`tst_mm.engine.student_weights.student_checkpoint`. It goes when its checkpoint goes
    (``max_keep_ckpts``, a new best). The runner's checkpoints themselves are written beside their
    place and renamed too, so that a crash or a full disk leaves the last good one intact; this
    also for a model without a student. Folders on remote storage are left to MMEngine.
    """

    # After EMAHook has put its averages in place of the weights.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._student: dict[str, Any] | None = None
        self._parents: set[Path] = set()
        self._installed = False

    def before_run(self, runner: Runner) -> None:
        """Put ourselves around the runner's ``save_checkpoint``."""
        self._has_student = hasattr(unwrap_model(runner), 'student')
        self._config = student_config(runner.cfg)
        if not self._installed:
            runner.save_checkpoint = self._around(runner.save_checkpoint)
            self._installed = True
        for student in Path(runner.work_dir).glob('student_*.pth'):
            parent = student.with_name(student.name.removeprefix('student_'))
            if parent.exists():
                self._parents.add(parent)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take the student out while the checkpoint is in memory."""
        if self._has_student:
            self._student = student_checkpoint(checkpoint, self._config)

    def after_train(self, runner: Runner) -> None:
        """Remove what is left of removed checkpoints."""
        self._remove_orphans()

    def _around(self, save: Any) -> Any:
        @wraps(save)
        def save_completely(out_dir: str, filename: str, *args: Any, **kwargs: Any) -> None:
            backend = get_file_backend(out_dir, backend_args=kwargs.get('backend_args'))
            if not is_main_process() or not isinstance(backend, LocalBackend):
                return save(out_dir, filename, *args, **kwargs)
            path = Path(out_dir, filename)
            temporary = temporary_name(path)
            try:
                save(out_dir, temporary.name, *args, **kwargs)
                put_in_place(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
            self._write_student(path)
            self._remove_orphans()

        return save_completely

    def _write_student(self, path: Path) -> None:
        if self._student is None:
            return
        buffer = io.BytesIO()
        torch.save(self._student, buffer)
        write_bytes(path.with_name(f'student_{path.name}'), buffer.getvalue())
        self._student = None
        self._parents.add(path)

    def _remove_orphans(self) -> None:
        if not is_main_process():
            return
        for parent in [parent for parent in self._parents if not parent.exists()]:
            parent.with_name(f'student_{parent.name}').unlink(missing_ok=True)
            self._parents.discard(parent)
