"""ExactResumeHook: a run that is killed and resumed ends as if it had not been."""

from bisect import bisect
from typing import Any

from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from tst_mm.engine.data.randomness import seed_step
from tst_mm.engine.data.stream import Stream
from tst_mm.engine.data.student_data import seed_student_data
from tst_mm.registry import HOOKS
from tst_mm.utils.unwrap import unwrap_model

from .carried_state import CarriedState, what_is_not_exact
from .same_model import check_same_model

#: Key of our part of a checkpoint.
STATE_KEY = 'tst_mm_resume'


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Make data and random draws depend on the seed and the iteration only.

    MMEngine keeps weights, optimiser and schedule in a checkpoint. This hook adds what else an
    exact resume needs: batches and transforms are those of the iteration, also when a run goes on
    inside an epoch; the global generators are seeded at every iteration; and a validation that
    the killed run did not finish is made up for before training goes on. It serves any run, with
    or without distillation. ``AlternatingScheduleHook`` and ``tools/train.py`` bring it along.

    Args:
        max_corrupt: Training samples that cannot be loaded and are left out, each named in the
            log, before the run stops with an error. Defaults to 0: the first one stops it.

    Raises:
        ValueError: ``max_corrupt`` is no whole number from 0.
    """

    # Before all other hooks: a stage of the augmenter too needs the seeded data.
    priority = 'HIGHEST'

    def __init__(self, max_corrupt: int = 0) -> None:
        if type(max_corrupt) is not int or max_corrupt < 0:
            raise ValueError(f'max_corrupt is {max_corrupt!r}; allowed: whole numbers from 0')
        self.max_corrupt = max_corrupt
        #: Iterations before the last finished validation.
        self._validated: int | None = None
        self._resumed = False
        #: What batch augments carry, before a stage, and in the checkpoint.
        self._before_stage: list[dict[str, Any]] = []
        self._loaded: list[dict[str, Any]] = []

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Note how far the checkpoint's run had validated."""
        self._resumed = bool(runner.cfg.get('resume'))
        state = checkpoint.get(STATE_KEY, {})
        self._validated = state.get('validated')
        self._loaded = state.get('carried', [])
        if self._resumed:
            check_same_model(unwrap_model(runner), checkpoint)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add our part."""
        checkpoint[STATE_KEY] = {
            'validated': self._validated,
            'end': runner.max_iters,
            'carried': self._carried.state(),
        }

    def before_train(self, runner: Runner) -> None:
        """Take hold of the student's loader, and go on as the checkpoint's run would have."""
        seed_student_data(runner, self.max_corrupt)
        self._carried = CarriedState(unwrap_model(runner))
        if self._resumed:
            self._carried.restore(self._loaded)
            if runner.iter >= runner.max_iters:
                runner.logger.warning(
                    f'The run in {runner.work_dir} is finished, at iteration {runner.iter} of '
                    f'{runner.max_iters}: nothing is left to train. A larger max_epochs or '
                    'max_iters goes on; another work folder starts a new run'
                )
        inexact = what_is_not_exact(runner)
        if inexact:
            runner.logger.warning(
                f'A resume of this run is not exact; what starts anew: {"; ".join(inexact)}'
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Point the student's loader to the iteration."""
        self._make_up_validation(runner)
        seed_student_data(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Make all draws those of this iteration."""
        seed_step(runner, Stream.STUDENT, runner.iter)

    def before_augmenter_stage(self, runner: Runner, stage: Any) -> None:
        """A stage takes nothing from the student: remember what batch augments carry."""
        self._before_stage = self._carried.snapshot()

    def after_augmenter_iter(
        self, runner: Runner, stage: Any, data_batch: Any, outputs: Any
    ) -> None:
        """Put it back, also for the checkpoints inside of the stage."""
        self._carried.restore(self._before_stage)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Note that it is done."""
        self._validated = runner.iter

    def after_train(self, runner: Runner) -> None:
        """Nothing was left to train, but perhaps to validate."""
        self._make_up_validation(runner)

    def _make_up_validation(self, runner: Runner) -> None:
        """Validate where the resumed run was killed between a checkpoint and its validation."""
        resumed, self._resumed = self._resumed, False
        loop = runner.train_loop
        if not resumed or runner.val_loop is None or self._validated == runner.iter:
            return
        if isinstance(loop, EpochBasedTrainLoop):
            done, end = runner.epoch, runner.max_epochs
            if runner.iter != done * len(loop.dataloader):
                return  # inside an epoch
        else:
            done, end = runner.iter, runner.max_iters
        interval = loop.dynamic_intervals[bisect(loop.dynamic_milestones, done + 1) - 1]
        if done and done >= loop.val_begin and (done % interval == 0 or done == end):
            for hook in runner.hooks:
                if isinstance(hook, CheckpointHook) and hook.last_ckpt is None:
                    # With a new best it writes the last checkpoint again, if it knows it.
                    hook.last_ckpt = runner.message_hub.runtime_info.get('last_ckpt')
            runner.val_loop.run()
