"""TST as published, for small trainings: its augmenter, search by gradient and doubled batches."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from tst_mm.models.modes import frozen
from tst_mm.paper import GradientSearch
from tst_mm.paper.flip import flip_softmax_logits

from .parts import forward, imitation
from .training import STAGE_BATCH, Training

#: The part of the budget's images that stages take. The reference's stages take half as many as its
#: students, which at equal cost would leave half of the student's steps.
STAGE_SHARE = 0.1


class PublishedTraining(Training):
    """A student that sees each image as it is and augmented, by a policy that gradients move.

    The arguments are those of :class:`Training`. It is the objective of its own search.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.objective = self

    def _share_cost(self, image: Tensor, adaptive: bool) -> None:
        """As for the others; a backward pass that stops at the image counts as one forward pass."""
        self._image = image.to(self.device).float()
        of_student, of_teacher = (self.flops(net) for net in (self.student, self.teacher))
        budget, batch, stages = self.task.budget, self.task.batch, self.method.stages
        self.looks = 0
        self.stage_length = max(1, int(STAGE_SHARE * budget * batch / (stages * STAGE_BATCH)))
        image_of_stage, image_of_step = 2 * (of_student + of_teacher), 3 * of_student + of_teacher
        spent = stages * self.stage_length * STAGE_BATCH * image_of_stage
        self.steps = int((budget - spent / (batch * image_of_step)) / 2)

    def _new_search(self) -> GradientSearch:
        return GradientSearch()

    def _search(self, search: GradientSearch, index: int) -> None:
        """One stage; by gradients nothing is known of single operators."""
        epoch = max(1, len(self.seen) // STAGE_BATCH)
        search.begin(self, self.stage_length, epoch)
        for step in range(self.stage_length):
            self.augmenter.reseed(self.seed, 1 + index, step)
            search.step(self.batch(STAGE_BATCH))
        search.end()

    def step(self, training: Any, data: tuple[Tensor, Tensor], wrapper: Any) -> dict[str, Tensor]:
        """Move the policy toward images on which the teacher is right and the student wrong."""
        images, labels = data
        with frozen(self.student):
            images, _ = self.augmenter(images, relaxed=True)
            student, teacher = forward(self.student, images), forward(self.teacher, images)
            strength = F.cross_entropy(teacher, labels)
            weakness = -flip_softmax_logits(student).gather(1, labels[:, None]).mean()
            wrapper.update_params(strength + weakness)
        right = (
            logits.detach().softmax(1).gather(1, labels[:, None]).mean()
            for logits in (student, teacher)
        )
        found = dict(zip(('student_confidence', 'teacher_confidence'), right, strict=True))
        return {'loss': (strength + weakness).detach(), **found}

    def _loss(self, step: int) -> Tensor:
        """The loss of a student step on a batch and on the same, augmented."""
        images, labels = self.batch(self.task.batch)
        self.augmenter.reseed(self.seed, 0, step)
        images = torch.cat((images, self.augmenter(images)[0]))
        labels = labels.repeat(2)
        with torch.no_grad():
            teacher = forward(self.teacher, images)
        student = forward(self.student, images)
        return F.cross_entropy(student, labels) + imitation(student, teacher).mean()
