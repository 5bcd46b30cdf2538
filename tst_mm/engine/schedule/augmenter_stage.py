"""One augmenter stage in progress: its optimiser, its position, its means."""

from collections.abc import Mapping
from typing import Any

from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import OPTIMIZERS
from torch import Tensor

from tst_mm.paper.plateau import LossPlateau
from tst_mm.utils import closest, require_mapping

from .running_mean import RunningMean

#: Part of the stage at either end over which the confidence gap is averaged.
_GAP_SHARE = 0.1


class AugmenterStage:
    """Trains the policy for one stage; knows nothing of loaders, logs and files.

    The optimiser is new in each stage, so momentum and a lowered learning rate do not carry over.

    Args:
        model: A distiller, unwrapped.
        optim_wrapper: Config of the optimiser wrapper over the policy.
        plateau: Arguments of :class:`LossPlateau`, or None for a constant learning rate.
        length: Steps of the stage.
        epoch_length: Steps in an augmenter epoch, after which the plateau rule looks at the loss.
    """

    def __init__(
        self,
        model: Any,
        optim_wrapper: Mapping[str, Any],
        plateau: Mapping[str, float] | None,
        length: int,
        epoch_length: int,
    ) -> None:
        self.model = model
        self.optim_wrapper = build_policy_optimizer(model, optim_wrapper)
        self.plateau = None if plateau is None else LossPlateau(**plateau)
        self.length = length
        self.epoch_length = epoch_length
        self.step = 0
        #: Learning rate of the last step.
        self.lr = self._read_lr()
        #: Means since the last log line, over the current epoch, and near both ends of the stage.
        self.window, self.epoch = RunningMean(), RunningMean()
        self.head, self.tail = RunningMean(), RunningMean()

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.length

    def train_step(self, data: Any) -> dict[str, Tensor]:
        """Do one step on a batch from the loader; returns what ``augmenter_step`` does."""
        self.lr = self._read_lr()
        losses = self.model.augmenter_step(data, self.optim_wrapper)
        self.window.add(losses)
        self.epoch.add({'loss': losses['loss']})
        at_either_end = max(1, round(self.length * _GAP_SHARE))
        gap = {'gap': losses['teacher_confidence'] - losses['student_confidence']}
        if self.step < at_either_end:
            self.head.add(gap)
        if self.step >= self.length - at_either_end:
            self.tail.add(gap)
        self.step += 1
        if self.step % self.epoch_length == 0:
            mean = self.epoch.read()['loss']
            if self.plateau is not None:
                self._scale_lr(self.plateau.update(mean))
        return losses

    def read_gap(self) -> tuple[float, float]:
        """Teacher's minus student's confidence near the start and near the end; call it once."""
        return self.head.read()['gap'], self.tail.read()['gap']

    def state_dict(self) -> dict[str, Any]:
        """What a resume needs, in plain types and tensors."""
        return {
            'step': self.step,
            'optimizer': self.optim_wrapper.state_dict(),
            'plateau': None if self.plateau is None else self.plateau.state_dict(),
            'means': {name: getattr(self, name).state_dict() for name in _MEANS},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`.

        Raises:
            ValueError: The state is of another stage, or broken.
        """
        try:
            self.step = range(self.length + 1).index(state['step'])
            self.optim_wrapper.load_state_dict(state['optimizer'])
            if self.plateau is not None and state['plateau'] is not None:
                self.plateau.load_state_dict(state['plateau'])
            for name in _MEANS:
                getattr(self, name).load_state_dict(state['means'][name])
        except Exception as error:  # whatever torch makes of an optimiser's state
            raise ValueError(
                'the checkpoint holds no state of this augmenter stage: '
                f'{type(error).__name__}: {error}'
            ) from error

    def _read_lr(self) -> float:
        """The highest of all groups: ``paramwise_cfg`` may hold a half of the policy still."""
        return max(self.optim_wrapper.get_lr()['lr'])

    def _scale_lr(self, factor: float) -> None:
        for group in self.optim_wrapper.optimizer.param_groups:
            group['lr'] *= factor


_MEANS = ('window', 'epoch', 'head', 'tail')


def build_policy_optimizer(model: Any, config: Mapping[str, Any]) -> OptimWrapper:
    """Build an optimiser wrapper over the policy of a distiller's augmenter.

    Raises:
        KeyError: When there is no such optimiser.
    """
    optimizer = config.get('optimizer', {})
    require_mapping('optim_wrapper.optimizer', optimizer)
    kind = optimizer.get('type')
    if kind is None or isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
        allowed = closest(kind or 'SGD', OPTIMIZERS.module_dict)
        raise KeyError(f'optim_wrapper.optimizer of the augmenter has type {kind!r}; {allowed}')
    wrapper = build_optim_wrapper(model.augmenter.policy, dict(config))
    # With clip_grad it reports the gradient norm as the student's; it gets a hub of its own.
    wrapper.message_hub = MessageHub('tst_mm_augmenter')
    return wrapper
