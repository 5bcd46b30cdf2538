"""The steps of a case: what runs in training, and the same networks run bare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tst_mm.models.distillers.labels import fresh
from tst_mm.models.modes import frozen

from .networks import Case

#: Of each image in a search step, as the default search has it.
DRAWS = 4
#: Small enough for the networks to stay what they are over all rounds.
_LR = 1e-6
Step = Callable[[], object]


class Steps:
    """All steps of one case, each on networks of its own with the same weights.

    Args:
        case: The networks and the batch.
        device: The device that they run on.
        precision: The type of numbers of mixed precision, ``'bfloat16'`` or ``'float16'``; None
            (default) for full precision.

    Attributes:
        calls (dict[str, Callable]): ``plain`` (the student alone), ``kd``, ``split`` (half of the
            batch augmented), ``double``, ``search``, which looks at every image ``DRAWS`` times,
            and ``bare``: its forward passes, for which images and labels lie ready.
    """

    def __init__(self, case: Case, device: torch.device, precision: str | None = None) -> None:
        self.case = case
        self.data = case.data(case.shape)
        models = {
            'kd': case.build(augmenter=False),
            'split': case.build(augmenter=True, batch_mode=0.5),
            'double': case.build(augmenter=True, batch_mode='double'),
        }
        self.models = {name: model.to(device) for name, model in models.items()}
        alone = case.build(augmenter=False).to(device).student
        self.calls: dict[str, Step] = {'plain': self._student_step(alone)}
        self.calls |= {name: self._student_step(model) for name, model in self.models.items()}
        searched = self.models['split']
        self.calls['search'] = lambda: searched.score(self.data, DRAWS)
        self.calls['bare'] = self._bare
        if precision is not None:
            dtype = getattr(torch, precision)
            self.calls = {name: _mixed(call, device, dtype) for name, call in self.calls.items()}
        self._images, self._samples = self._augmented(searched)

    def flops(self) -> dict[str, float]:
        """Floating point operations of each step, of its parts, and the floor of each step.

        A multiplication with an addition counts as two. The floor of a step is made of forward
        passes: 3 of the student in a student step, for its backward pass costs two; one of the
        student and one of the teacher for every draw in a search step.
        """
        self.calls['search']()  # the first one finds out whether losses come image by image
        counted = {name: count_flops(call) for name, call in self.calls.items()}
        batch = self.case.shape[0]
        images, samples = self._images[:batch], self._samples[:batch]
        student, teacher, asked = forward_flops(self.models['kd'], images, samples)
        floors = {
            'plain': 3 * student,
            'kd': 3 * student + asked,
            'split': 3 * student + asked,
            'double': 6 * student + 2 * asked,
            'search': DRAWS * (student + teacher),
            'bare': DRAWS * (student + teacher),
        }
        result = {f'step/{name}': value for name, value in counted.items()}
        result |= {f'floor/{name}': value for name, value in floors.items()}
        return {**result, 'Fs': student, 'Ft': teacher, 'Ft/kd': asked}

    def _bare(self) -> None:
        """Both networks' losses on all draws, a batch at a time, without gradient."""
        model, size = self.models['split'], self.case.shape[0]
        with torch.no_grad(), frozen(model.student):
            for i in range(0, len(self._images), size):
                images, samples = self._images[i : i + size], self._samples[i : i + size]
                model.student(images, fresh(samples), mode='loss')
                model.teacher.losses(images, fresh(samples))

    @torch.no_grad()
    def _augmented(self, model: nn.Module) -> tuple[Tensor, list]:
        """Every image as often as a search step draws it, with its labels."""
        data = model.data_preprocessor(self.data, True)
        inputs, samples = data['inputs'].repeat(DRAWS, 1, 1, 1), data['data_samples'] * DRAWS
        model.augmenter.reseed(0)
        images, draw = model.augmenter(inputs, model.valid_sizes(inputs, samples))
        return images, model.move_labels(samples, draw)

    def _student_step(self, model: nn.Module) -> Step:
        optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=_LR, momentum=0.9))
        return lambda: model.train_step(self.data, optimizer)


def _mixed(call: Step, device: torch.device, dtype: torch.dtype) -> Step:
    """The same step in mixed precision."""

    def run() -> None:
        with torch.autocast(device.type, dtype):
            call()

    return run


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
