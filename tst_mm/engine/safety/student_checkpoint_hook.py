"""StudentCheckpointHook: a plain student file beside every checkpoint; complete or absent."""

from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tst_mm.compat.mmengine_runner import wrap_saving
from tst_mm.engine.safety.safe_checkpoints import (
    LateRemoval,
    late_removals,
    save_completely,
    student_path,
)
from tst_mm.engine.safety.student_weights import student_checkpoint, student_config
from tst_mm.registry import HOOKS
from tst_mm.utils.checkpoints import write_checkpoint
from tst_mm.utils.unwrap import unwrap_model


@HOOKS.register_module()
class StudentCheckpointHook(Hook):
    """Write ``student_<name>.pth`` beside every checkpoint of the runner: last, best, interrupted.

    The file loads in plain mmpretrain, mmdet or mmseg; see
    :func:`tst_mm.engine.safety.student_weights.student_checkpoint`. It goes when its checkpoint
    goes (``max_keep_ckpts``, a new best). The runner's checkpoints themselves are written beside
    their place and renamed too, and old ones are removed only then, so that a crash or a full disk
    leaves the last good one intact; this also for a model without a student. Folders on remote
    storage are left to MMEngine.
    """

    # After EMAHook has put its averages in place of the weights, and after CheckpointHook.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._student: dict[str, Any] | None = None
        self._parents: set[Path] = set()
        self._saved: set[Path] = set()
        self._removals: list[LateRemoval] = []

    def before_run(self, runner: Runner) -> None:
        """Put ourselves around the runner's ``save_checkpoint``."""
        self._has_student = hasattr(unwrap_model(runner), 'student')
        self._config = student_config(runner.cfg)
        wrap_saving(runner, lambda save: save_completely(save, self._after_save))
        for student in Path(runner.work_dir).glob('student_*.pth'):
            parent = student.with_name(student.name.removeprefix('student_'))
            if parent.exists():
                self._parents.add(parent)

    def before_train(self, runner: Runner) -> None:
        """Hold back the removal of old checkpoints until new ones are there."""
        self._removals = late_removals(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take the student out while the checkpoint is in memory."""
        if self._has_student:
            self._student = student_checkpoint(checkpoint, self._config)

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Remove what new checkpoints have replaced."""
        self._clean_up()

    def after_train_epoch(self, runner: Runner) -> None:
        """Remove what new checkpoints have replaced."""
        self._clean_up()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Remove what a new best checkpoint has replaced."""
        self._clean_up()

    def after_train(self, runner: Runner) -> None:
        """Remove what is left of removed checkpoints."""
        self._remove_orphans()

    def _after_save(self, path: Path) -> None:
        self._saved.add(path)
        if self._student is not None:
            write_checkpoint(student_path(path), self._student)
            self._student = None
            self._parents.add(path)

    def _clean_up(self) -> None:
        if self._saved:
            for removal in self._removals:
                removal.flush(self._saved)
            self._saved = set()
            self._remove_orphans()

    def _remove_orphans(self) -> None:
        if not is_main_process():
            return
        for parent in [parent for parent in self._parents if not parent.exists()]:
            student_path(parent).unlink(missing_ok=True)
            self._parents.discard(parent)
