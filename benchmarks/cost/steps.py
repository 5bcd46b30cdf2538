"""The steps of a case: what runs in training, and the same networks run bare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tst_mm.models.modes import frozen

from .networks import Case

#: Small enough for the networks to stay what they are over all rounds.
_LR = 1e-6
Step = Callable[[], object]


class Steps:
    """All steps of one case, each on networks of its own with the same weights.

    Args:
        case: The networks and the batch.
        device: The device that they run on.

    Attributes:
        calls (dict[str, Callable]): ``plain`` (the student alone), ``kd``, ``split``, ``double``,
            ``augmenter`` and ``bare``: the forward and backward passes of an augmenter step, for
            which images and labels lie ready.
    """

    def __init__(self, case: Case, device: torch.device) -> None:
        self.case = case
        self.data = case.data(case.shape)
        models = {
            'kd': case.build(augmenter=False),
            'split': case.build(augmenter=True, batch_mode='split'),
            'double': case.build(augmenter=True, batch_mode='double'),
        }
        self.models = {name: model.to(device) for name, model in models.items()}
        alone = case.build(augmenter=False).to(device).student
        self.calls: dict[str, Step] = {'plain': self._student_step(alone)}
        self.calls |= {name: self._student_step(model) for name, model in self.models.items()}
        self.calls['augmenter'] = self._augmenter_step(self.models['split'])
        self.calls['bare'] = lambda: (self.bare_student(), self.bare_teacher())
        self._prepare_bare(self.models['split'])

    def flops(self) -> dict[str, float]:
        """Floating point operations of each step, of its parts, and the floor of each step.

        A multiplication with an addition counts as two. The floor of a step is made of forward
        passes: 3 of the student in a student step, for its backward pass costs two; 2 of the
        student and 2 of the teacher in an augmenter step, whose backward passes stop at the image.
        """
        counted = {name: count_flops(call) for name, call in self.calls.items()}
        student, teacher, asked = forward_flops(self.models['kd'], self._images, self._samples)
        floors = {
            'plain': 3 * student,
            'kd': 3 * student + asked,
            'split': 3 * student + asked,
            'double': 6 * student + 2 * asked,
            'augmenter': 2 * student + 2 * teacher,
            'bare': 2 * student + 2 * teacher,
        }
        result = {f'step/{name}': value for name, value in counted.items()}
        result |= {f'floor/{name}': value for name, value in floors.items()}
        return {**result, 'Fs': student, 'Ft': teacher, 'Ft/kd': asked}

    def bare_student(self) -> None:
        """The student's loss on the augmented images, and its gradient in them."""
        model = self.models['split']
        leaf = self._images.detach().requires_grad_()
        with frozen(model.student):
            losses = model.student(leaf, self._samples, mode='loss')
        model.parse_losses(losses)[0].backward()

    def bare_teacher(self) -> None:
        """The same for the teacher."""
        model = self.models['split']
        leaf = self._images.detach().requires_grad_()
        model.parse_losses(model.teacher.losses(leaf, self._samples))[0].backward()

    def _prepare_bare(self, model: nn.Module) -> None:
        data = model.data_preprocessor(self.data, True)
        model.augmenter.reseed(0)
        with torch.no_grad():
            sizes = model.valid_sizes(data['inputs'], data['data_samples'])
            self._images, draw = model.augmenter(data['inputs'], sizes)
        self._samples = model.move_labels(data['data_samples'], draw)

    def _student_step(self, model: nn.Module) -> Step:
        optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=_LR, momentum=0.9))
        return lambda: model.train_step(self.data, optimizer)

    def _augmenter_step(self, model: nn.Module) -> Step:
        policy = model.augmenter.policy
        optimizer = OptimWrapper(torch.optim.SGD(policy.parameters(), lr=_LR, momentum=0.9))
        return lambda: model.objective.step(model, self.data, optimizer)


def count_flops(call: Step) -> float:
    """Floating point operations of the matrix products and convolutions of a call."""
    with FlopCounterMode(display=False) as counter:
        call()
    return float(counter.get_total_flops())


@torch.no_grad()
def forward_flops(model: nn.Module, inputs: Tensor, samples: list) -> tuple[float, float, float]:
    """Forward passes of a distiller's networks, in floating point operations.

    Args:
        model: The distiller whose networks are counted.
        inputs: The images (B, C, H, W), as the preprocessor gives them.
        samples: The data samples of the images.

    Returns:
        Of the student, of the teacher with its losses, and of the teacher as plain KD asks it.
    """
    recorders: Any = model.distiller.student_recorders
    with recorders:
        student = count_flops(lambda: model.student(inputs, samples, mode='loss'))
    asked = count_flops(lambda: model.ask_teacher(inputs, samples))
    teacher = count_flops(lambda: model.teacher.losses(inputs, samples))
    return student, teacher, asked
