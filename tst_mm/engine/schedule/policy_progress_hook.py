"""PolicyProgressHook: tells ``LearnedAugment(schedule=True)`` how far training is."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from tst_mm.datasets.transforms.progress import Progress
from tst_mm.registry import HOOKS


@HOOKS.register_module()
class PolicyProgressHook(Hook):
    """Tell the fraction of training that is done to the transforms, on workers too.

    Workers load a few batches ahead (``prefetch_factor``), so a policy takes effect at most that
    many iterations late.
    """

    def before_train(self, runner: Runner) -> None:
        """Tell the fraction at the start, which is not 0 after a resume."""
        self._tell(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Tell the fraction at every iteration."""
        self._tell(runner)

    def _tell(self, runner: Runner) -> None:
        Progress.shared().write(runner.iter / runner.max_iters)
