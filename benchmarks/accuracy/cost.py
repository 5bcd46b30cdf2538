"""What a step costs in steps of plain KD: counted, so that equal cost depends on no clock."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from benchmarks.cost.steps import forward_flops
from tst_mm.registry import MODELS


@dataclass(frozen=True)
class Cost:
    """Forward passes of one batch, in floating point operations.

    A backward pass costs two forward passes, one that stops at the image costs one. What the
    augmenter itself computes is not in it: its operators have next to no products.

    Attributes:
        student: Of the student.
        teacher: Of the teacher, asked as plain KD asks it.
        judge: Of the teacher with its own losses, as a search asks it.
        images: In the batch.
    """

    student: float
    teacher: float
    judge: float
    images: int

    @property
    def kd(self) -> float:
        """A step of plain KD: the student forward and backward, the teacher forward."""
        return 3 * self.student + self.teacher

    def searched(self, images: int, by_gradient: bool) -> float:
        """Images of stages, each draw of one counted, in steps of plain KD.

        Both networks forward; by gradient also back to the image.
        """
        passes = 2 if by_gradient else 1
        return images / self.images * passes * (self.student + self.judge) / self.kd

    def looked(self, images: int) -> float:
        """Images at which the adaptive amount looks, in steps of plain KD: both forward."""
        return images / self.images * (self.student + self.teacher) / self.kd

    def step(self, teacher: bool, images: int = 1) -> float:
        """A student step.

        Args:
            teacher: Whether the step asks a teacher.
            images: How many batches go through the networks. Defaults to 1.
        """
        return images * (self.kd if teacher else 3 * self.student) / self.kd


def measure(config: Config) -> Cost:
    """Count the forward passes of a distiller's networks on the first batch of its loader.

    Args:
        config: The config of plain KD; the teacher's weights are not needed.
    """
    config.model.teacher.checkpoint = 'random'
    with DefaultScope.overwrite_default_scope(config.default_scope):
        preprocessor = config.get('data_preprocessor')
        if preprocessor is not None:
            config.model.data_preprocessor = preprocessor
        model = MODELS.build(config.model).train()
        loader = Runner.build_dataloader(config.train_dataloader, seed=0)
        data = model.data_preprocessor(next(iter(loader)), True)
        with torch.no_grad():
            student, judge, teacher = forward_flops(model, data['inputs'], data['data_samples'])
    return Cost(student, teacher, judge, config.train_dataloader.batch_size)
