"""GradientSearch: the published search, rates and magnitudes moved by an optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import OPTIMIZERS
from torch import Tensor

from tst_mm.registry import MODELS
from tst_mm.utils import closest, reject_unknown_keys, require_mapping
from tst_mm.utils.running_mean import RunningMean

from .flipped_objective import FlippedObjective
from .plateau import LossPlateau

_PLATEAU_KEYS = ('factor', 'min_drop_abs', 'min_drop_rel')
_DEFAULT_OPTIMIZER = {'type': 'SGD', 'lr': 0.01, 'momentum': 0.9, 'weight_decay': 0.0}
#: The part of the stage, at either end, over which the confidence gap is averaged.
_GAP_SHARE = 0.1
_MEANS = ('epoch', 'head', 'tail')


@MODELS.register_module()
class GradientSearch:
    """Train the policy by gradients through relaxed gates and both networks (paper, section 3).

    The optimiser is new in each stage, so that momentum and a lowered learning rate do not carry
    over (reference).

    Args:
        optim_wrapper: The optimiser of the policy, as MMEngine takes it, ``clip_grad`` included.
            Defaults to ``dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9,
            weight_decay=0))``.
        plateau: The arguments of :class:`LossPlateau`, which lowers the learning rate after an
            augmenter epoch without progress; None keeps it constant. Defaults to the rule of the
            reference.

    Raises:
        KeyError: A key of ``plateau`` or the optimiser is unknown.
        TypeError: An argument is no dictionary.
    """

    def __init__(
        self,
        optim_wrapper: Mapping[str, Any] | None = None,
        plateau: Mapping[str, float] | None = {},  # noqa: B006  (never changed)
    ) -> None:
        if plateau is not None:
            require_mapping('plateau', plateau)
            reject_unknown_keys('plateau', plateau, _PLATEAU_KEYS)
            LossPlateau(**plateau)
        if optim_wrapper is not None:
            require_mapping('optim_wrapper', optim_wrapper)
        self.config = optim_wrapper or {'optimizer': _DEFAULT_OPTIMIZER}
        self.plateau_config = plateau
        self.optim_wrapper: OptimWrapper | None = None

    def check(self, model: Any) -> None:
        """Take the model of the run; refuse one whose policy cannot be trained.

        Raises:
            KeyError: There is no such optimiser.
            TypeError: The policy of the model's augmenter has no gradient, or a loss of the student
                would not be flipped.
        """
        augmenter = model.augmenter
        if not any(parameter.requires_grad for parameter in augmenter.policy.parameters()):
            raise TypeError(
                f'GradientSearch trains a policy, that of {type(augmenter).__name__} is set; '
                "allowed: augmenter=dict(type='tst_mm.PaperAugmenter', ...), or "
                "search=dict(type='tst_mm.MeasuringSearch')"
            )
        if isinstance(model.objective, FlippedObjective):
            model.objective.check(model.student)
        build_policy_optimizer(model, self.config)

    def begin(
        self,
        model: Any,
        length: int,
        epoch_length: int,
        precision: Mapping[str, Any] | None = None,
    ) -> None:
        """Begin a stage with a new optimiser; see :meth:`tst_mm.search.Search.begin`."""
        self._model = model
        self._length, self._epoch_length, self._step = length, epoch_length, 0
        config = self.config
        if precision is not None and 'type' not in config:
            config = {'type': 'AmpOptimWrapper', **precision, **config}
        self.optim_wrapper = build_policy_optimizer(model, config)
        self.plateau = None if self.plateau_config is None else LossPlateau(**self.plateau_config)
        self._lr = self._read_lr()
        #: The means over the current epoch, and of the confidence gap near both ends of the stage.
        self.epoch, self.head, self.tail = RunningMean(), RunningMean(), RunningMean()

    def step(self, data: Any) -> dict[str, Tensor]:
        """Move the policy by the gradient on one batch; return 0-dim tensors for the log."""
        self._lr = self._read_lr()
        losses = self._model.objective.step(self._model, data, self.optim_wrapper)
        self.epoch.add({'loss': losses['loss']})
        at_either_end = max(1, round(self._length * _GAP_SHARE))
        gap = {'gap': losses['teacher_confidence'] - losses['student_confidence']}
        if self._step < at_either_end:
            self.head.add(gap)
        if self._step >= self._length - at_either_end:
            self.tail.add(gap)
        self._step += 1
        if self._step % self._epoch_length == 0:
            mean = self.epoch.read()['loss']
            if self.plateau is not None:
                factor = self.plateau.update(mean)
                for group in self.optim_wrapper.optimizer.param_groups:
                    group['lr'] *= factor
        return losses

    def end(self) -> str:
        """End the stage; return a sentence for the log."""
        head, tail = self.head.read()['gap'], self.tail.read()['gap']
        self.optim_wrapper = None
        return f'teacher minus student confidence: gap: {head:.4f} -> {tail:.4f}'

    def evidence(self) -> list[dict[str, Any]]:
        """Empty: a gradient gives no evidence of single operators."""
        return []

    def lr(self) -> float:
        """The learning rate of the last step."""
        return self._lr

    def state_dict(self) -> dict[str, Any]:
        """The state that a resumed run continues from; empty between stages."""
        if self.optim_wrapper is None:
            return {}
        return {
            'kind': type(self).__name__,
            'step': self._step,
            'optimizer': self.optim_wrapper.state_dict(),
            'plateau': None if self.plateau is None else self.plateau.state_dict(),
            'means': {name: getattr(self, name).state_dict() for name in _MEANS},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`; see :meth:`tst_mm.search.Search.load_state_dict`."""
        if not state:
            return
        if state.get('kind') != type(self).__name__ or self.optim_wrapper is None:
            raise ValueError(
                f'the checkpoint holds the state of a {state.get("kind")}; allowed: a '
                f'{type(self).__name__}, as this run has, or search as it was'
            )
        self._step = int(state['step'])
        self.optim_wrapper.load_state_dict(state['optimizer'])
        if self.plateau is not None and state['plateau'] is not None:
            self.plateau.load_state_dict(state['plateau'])
        for name in _MEANS:
            getattr(self, name).load_state_dict(state['means'][name])

    def _read_lr(self) -> float:
        """The highest rate of all groups: ``paramwise_cfg`` may hold a part of the policy still."""
        return max(self.optim_wrapper.get_lr()['lr'])


def build_policy_optimizer(model: Any, config: Mapping[str, Any]) -> OptimWrapper:
    """Build an optimiser wrapper over the policy of a distiller's augmenter.

    Raises:
        KeyError: There is no such optimiser.
    """
    optimizer = config.get('optimizer', {})
    require_mapping('optim_wrapper.optimizer', optimizer)
    kind = optimizer.get('type')
    if kind is None or isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
        allowed = closest(kind or 'SGD', OPTIMIZERS.module_dict)
        raise KeyError(f'optim_wrapper.optimizer of the augmenter has type {kind!r}; {allowed}')
    wrapper = build_optim_wrapper(model.augmenter.policy, dict(config))
    # With clip_grad the wrapper reports a gradient norm, which is not to pass for the student's.
    wrapper.message_hub = MessageHub('tst_mm_augmenter')
    return wrapper
