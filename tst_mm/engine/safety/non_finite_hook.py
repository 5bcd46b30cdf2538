"""NonFiniteHook: a loss, a gradient or a policy that is no number does not spread."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor, nn

from tst_mm.engine.safety.non_finite import file_names, save_evidence
from tst_mm.registry import HOOKS
from tst_mm.utils.unwrap import unwrap_model

from .remedies import remedies
from .step_guard import StepGuard

#: Augmenter steps that are judged together.
_TOGETHER = 10


@dataclass
class _Step:
    """What is known of a step that was done, on the device as far as it is there."""

    name: str
    files: list[str]
    draw: Any
    losses: dict[str, Tensor]
    parameters: list[str]
    #: Of losses, then of gradients.
    finite: Tensor


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Leave out steps whose losses or gradients are NaN or infinite; stop when there are too many.

    It stands in front of the optimiser, at the student's training and in augmenter stages, so
    that weights and policy stay good. The error names the losses, the gradients, the images of the
    batch and what helps; ``nonfinite_<step>.pth`` in the work folder holds these, what the
    augmenter drew and the weights. The run's last checkpoint stays what it was. With a loss scaler
    (fp16) infinite gradients are the scaler's to handle, and only the losses are looked at.

    ``tools/train.py`` brings this hook along. A step costs one read of the gradients and no wait
    for the device: what to do is decided there (:class:`StepGuard`), and what was found is read
    where MMEngine has waited already, in augmenter stages after every tenth step.

    Args:
        max_skips: Steps left out, each with a warning, before the run stops. Defaults to 0: the
            first stops it.

    Raises:
        ValueError: ``max_skips`` is no whole number from 0.
    """

    # After RuntimeInfoHook, which waits for the losses; before anything is logged or saved.
    priority = 'VERY_HIGH'

    def __init__(self, max_skips: int = 0) -> None:
        if type(max_skips) is not int or max_skips < 0:
            raise ValueError(f'max_skips is {max_skips!r}; allowed: whole numbers from 0')
        self.max_skips = max_skips
        #: Steps left out so far.
        self.skips = 0
        self._student: list[StepGuard] = []
        self._policy: list[StepGuard] = []
        self._waiting: list[_Step] = []
        self._buffers: dict[str, Tensor] = {}

    def before_train(self, runner: Runner) -> None:
        """Stand in front of the student's optimiser."""
        self._remove(self._student)
        self._student = self._guards(runner.optim_wrapper, unwrap_model(runner))

    def after_train(self, runner: Runner) -> None:
        """Step aside."""
        self._remove(self._student)

    def before_augmenter_stage(self, runner: Runner, stage: Any) -> None:
        """Stand in front of the policy's optimiser."""
        policy = unwrap_model(runner).augmenter.policy
        self._policy = self._guards(stage.optim_wrapper, policy)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Keep the statistics of norm layers, which a step left out must not change."""
        if self.max_skips:
            buffers = dict(unwrap_model(runner).named_buffers())
            if not self._buffers:
                self._buffers = {name: buffer.clone() for name, buffer in buffers.items()}
            for name, kept in self._buffers.items():
                kept.copy_(buffers[name])

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Judge a student step."""
        self._note(runner, f'iter_{runner.iter}', data_batch, outputs or {}, self._student)
        if self._judge(runner, runner.optim_wrapper, 'optim_wrapper', unwrap_model(runner)):
            for name, buffer in unwrap_model(runner).named_buffers():
                buffer.copy_(self._buffers[name])

    def after_augmenter_iter(
        self, runner: Runner, stage: Any, data_batch: Any, outputs: Mapping[str, Any]
    ) -> None:
        """Judge the augmenter steps that were not judged yet, when there are some."""
        if stage.optim_wrapper is None:  # values alone: the search leaves out what is no number
            return
        name = f'iter_{runner.iter}_augmenter_{stage.step}'
        self._note(runner, name, data_batch, outputs, self._policy)
        if stage.finished or len(self._waiting) == _TOGETHER:
            where = 'optim_wrapper of AlternatingScheduleHook'
            self._judge(runner, stage.optim_wrapper, where, None)

    def _guards(self, optim_wrapper: Any, module: nn.Module) -> list[StepGuard]:
        """Let an optimiser step only with finite gradients."""
        several = isinstance(optim_wrapper, OptimWrapperDict)
        wrappers = list(optim_wrapper.values()) if several else [optim_wrapper]
        return [
            StepGuard(wrapper.optimizer, module, exact=self.max_skips > 0)
            for wrapper in wrappers
            if isinstance(wrapper, OptimWrapper) and not hasattr(wrapper, 'loss_scaler')
        ]

    @staticmethod
    def _remove(guards: list[StepGuard]) -> None:
        for guard in guards:
            guard.remove()

    def _note(
        self,
        runner: Runner,
        name: str,
        data_batch: Any,
        outputs: Mapping[str, Any],
        guards: list[StepGuard],
    ) -> None:
        losses = {key: torch.as_tensor(value).detach().float() for key, value in outputs.items()}
        finite = [torch.stack(list(losses.values())).isfinite()] if losses else []
        parameters: list[str] = []
        for guard in guards:
            names, gradients = guard.take()
            if gradients is not None:
                parameters += names
                finite.append(gradients)
        if finite:
            draw, files = getattr(unwrap_model(runner), 'draw', None), file_names(data_batch)
            flags = torch.cat([flag.to(finite[0].device) for flag in finite])
            self._waiting.append(_Step(name, files, draw, losses, parameters, flags))

    def _judge(self, runner: Runner, optim_wrapper: Any, where: str, model: Any) -> bool:
        """Read what was found; whether there was anything."""
        steps, self._waiting = self._waiting, []
        if not steps or bool(torch.cat([step.finite for step in steps]).all()):
            return False
        for step in steps:
            if not bool(step.finite.all()):
                self._report(runner, step, remedies(runner, optim_wrapper, where, model))
        return True

    def _report(self, runner: Runner, step: _Step, helps: str) -> None:
        self.skips += 1
        losses = {name: float(value) for name, value in step.losses.items()}
        flags = step.finite[len(losses) :].tolist()
        gradients = [name for name, good in zip(step.parameters, flags, strict=True) if not good]
        rank = f'_rank{get_rank()}' if get_rank() else ''
        path = f'{runner.work_dir}/nonfinite_{step.name}{rank}.pth'
        evidence = {'losses': losses, 'gradients': gradients, 'files': step.files}
        save_evidence(path, evidence, unwrap_model(runner), step.draw)
        wrong = [f'{name} = {value}' for name, value in losses.items() if not math.isfinite(value)]
        wrong += [f'gradient of {name}' for name in gradients[:3]] + ['...'] * (len(gradients) > 3)
        images = ', '.join(step.files) or 'unknown'
        message = (
            f'no number in step {step.name}: {", ".join(wrong)}; images: {images}; losses, draw '
            f'and weights are in {path}'
        )
        if self.skips > self.max_skips:
            raise FloatingPointError(
                f'{message}. {helps}. The last checkpoint is good: --resume goes on there once the '
                f'cause is removed, or max_skips (now {self.max_skips}) lets such steps pass'
            )
        runner.logger.warning(f'{message}; step {self.skips} of at most {self.max_skips} left out')
