"""The first batch of a run, and what student and teacher make of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from functools import cached_property
from typing import Any

import torch
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner, autocast
from torch import Tensor

from tst_mm.utils.unwrap import unwrap_model


class FirstBatch:
    """What the checks of a first batch look at; each part is computed when it is asked for.

    Args:
        runner: Of a run whose model is a distiller.
        data: A batch of the training loader; never modified.
    """

    def __init__(self, runner: Runner, data: Any) -> None:
        self.runner = runner
        self.model = unwrap_model(runner)
        self.data = data
        #: What is no fault, but to be known.
        self.warnings: list[str] = []

    @cached_property
    def preprocessed(self) -> dict[str, Any]:
        """``inputs`` (B, C, H, W) and ``data_samples`` as the student's preprocessor gives them."""
        with torch.no_grad():
            return self.model.data_preprocessor(deepcopy(self.data), True)

    @property
    def inputs(self) -> Tensor:
        """(B, C, H, W), normalised."""
        return self.preprocessed['inputs']

    @property
    def samples(self) -> list:
        """B data samples; a caller that changes them takes copies."""
        return list(self.preprocessed['data_samples'])

    @cached_property
    def losses(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The student's own losses and those of distillation, on clean images, with their graph."""
        with self.precision():
            return self.model.distilled(self.inputs, self.samples)

    def precision(self) -> AbstractContextManager:
        """That of the run's training."""
        wrapper = self.runner.optim_wrapper
        if isinstance(wrapper, AmpOptimWrapper):
            return autocast(dtype=wrapper.cast_dtype)
        return nullcontext()

    def few(self, count: int = 2) -> Any:
        """A copy of the batch as loaded, of its first images only."""
        data = deepcopy(self.data)
        if isinstance(data, Mapping) and {'inputs', 'data_samples'} <= data.keys():
            return {key: value[:count] for key, value in data.items()}
        return data

    @torch.no_grad()
    def move_weights(self) -> None:
        """Move student and connectors a little, and forget the losses that they had."""
        for weight in self.model.parameters():
            weight.mul_(1 + 0.1 * torch.randn_like(weight))
        self.__dict__.pop('losses', None)
