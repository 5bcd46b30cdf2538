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
        student: The operations of the student's forward pass.
        teacher: The operations of the teacher's forward pass.
        images: The number of images in the batch.
    """

    student: float
    teacher: float
    images: int

    @property
    def kd(self) -> float:
        """A step of plain KD: the student forward and backward, the teacher forward."""
        return 3 * self.student + self.teacher

    @property
    def augmenter_step(self) -> float:
        """A step of the augmenter: both networks forward and back to the image."""
        return 2 * (self.student + self.teacher) / self.kd

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
            student, _, teacher = forward_flops(model, data['inputs'], data['data_samples'])
    return Cost(student, teacher, config.train_dataloader.batch_size)
