"""NonFiniteHook: a loss, a gradient or a policy that is no number does not spread."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from tst_mm.engine.safety.non_finite import file_names, non_finite_gradients, save_evidence
from tst_mm.registry import HOOKS
from tst_mm.utils.unwrap import unwrap_model


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Leave out steps whose losses or gradients are NaN or infinite; stop when there are too many.

    It looks before the optimiser steps, at the student's training and in augmenter stages, so
    that weights and policy stay good. The error names the losses, the gradients and the images of
    the batch; ``nonfinite_<step>.pth`` in the work folder holds these, what the augmenter drew and
    the weights of the step. The run's last checkpoint stays what it was. With a loss scaler
    (fp16) infinite gradients are the scaler's to handle, and only the losses are looked at.

    ``tools/train.py`` brings this hook along. The look costs one read of the gradients and one
    wait for the device in each step.

    Args:
        max_skips: Steps left out, each with a warning, before the run stops. Defaults to 0: the
            first stops it.

    Raises:
        ValueError: ``max_skips`` is no whole number from 0.
    """

    # Before anything is logged or saved.
    priority = 'HIGHEST'

    def __init__(self, max_skips: int = 0) -> None:
        if type(max_skips) is not int or max_skips < 0:
            raise ValueError(f'max_skips is {max_skips!r}; allowed: whole numbers from 0')
        self.max_skips = max_skips
        #: Steps left out so far.
        self.skips = 0
        self._gradients: list[str] = []
        self._buffers: dict[str, Tensor] = {}

    def before_train(self, runner: Runner) -> None:
        """Stand in front of the student's optimiser."""
        self._guard(runner.optim_wrapper, unwrap_model(runner))

    def before_augmenter_stage(self, runner: Runner, stage: Any) -> None:
        """Stand in front of the policy's optimiser."""
        self._guard(stage.optim_wrapper, unwrap_model(runner).augmenter.policy)

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
        if self._is_bad(runner, f'iter_{runner.iter}', data_batch, outputs or {}):
            for name, buffer in unwrap_model(runner).named_buffers():
                buffer.copy_(self._buffers[name])

    def after_augmenter_iter(
        self, runner: Runner, stage: Any, data_batch: Any, outputs: Mapping[str, Any]
    ) -> None:
        """Judge an augmenter step."""
        self._is_bad(runner, f'iter_{runner.iter}_augmenter_{stage.step}', data_batch, outputs)

    def _guard(self, optim_wrapper: Any, module: nn.Module) -> None:
        """Let an optimiser step only with finite gradients."""
        if not isinstance(optim_wrapper, OptimWrapper) or hasattr(optim_wrapper, 'loss_scaler'):
            return
        step = optim_wrapper.step

        def guarded_step(**kwargs: Any) -> None:
            self._gradients = non_finite_gradients(module)
            if not self._gradients:
                step(**kwargs)

        optim_wrapper.step = guarded_step

    def _is_bad(
        self, runner: Runner, step: str, data_batch: Any, outputs: Mapping[str, Any]
    ) -> bool:
        gradients, self._gradients = self._gradients, []
        values = {name: torch.as_tensor(value).detach().float() for name, value in outputs.items()}
        finite = not values or bool(torch.stack(list(values.values())).isfinite().all())
        if finite and not gradients:
            return False
        self.skips += 1
        losses = {name: float(value) for name, value in values.items()}
        files = file_names(data_batch)
        model = unwrap_model(runner)
        rank = f'_rank{get_rank()}' if get_rank() else ''
        path = f'{runner.work_dir}/nonfinite_{step}{rank}.pth'
        evidence = {'losses': losses, 'gradients': gradients, 'files': files}
        save_evidence(path, evidence, model)
        wrong = [f'{name} = {value}' for name, value in losses.items() if not math.isfinite(value)]
        wrong += [f'gradient of {name}' for name in gradients[:3]] + ['...'] * (len(gradients) > 3)
        message = (
            f'no number in step {step}: {", ".join(wrong)}; images: {", ".join(files) or "unknown"}'
            f'; losses, draw and weights are in {path}'
        )
        if self.skips > self.max_skips:
            raise FloatingPointError(
                f'{message}. The last checkpoint is good: --resume goes on there once the cause is '
                f'removed, or max_skips (now {self.max_skips}) lets such steps pass'
            )
        runner.logger.warning(f'{message}; step {self.skips} of at most {self.max_skips} left out')
        return True
