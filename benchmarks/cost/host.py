"""What the host spends on a step, measured without a GPU.

A classifier or segmentor runs on the ``meta`` device, where an operation costs the host its time
and nothing is computed. Detectors read counts in their own losses, which ``meta`` has not; they run
on the CPU on images so small that next to nothing is left but the host's part.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any
from unittest import mock

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor

from .counters import Launches, meta_device
from .networks import Case

#: The side, in pixels, of the images of detectors.
_SIDE = 64


def host_steps(case: Case) -> tuple[dict[str, Callable[[], object]], str]:
    """Student steps whose time is the host's.

    Args:
        case: Networks and batch, those of a CPU.

    Returns:
        ``kd`` and ``split``, a step of plain KD and one with half of the batch augmented; and the
        device that they run on, ``'meta'`` or ``'cpu'``.
    """
    where = 'cpu' if case.name in ('faster_rcnn', 'retinanet') else 'meta'
    if where == 'cpu':
        case = replace(case, shape=(*case.shape[:2], _SIDE, _SIDE))
    steps = {'kd': _step(case, False, where), 'split': _step(case, True, where)}
    return steps, where


def count_launches(step: Callable[[], object], device: str) -> int:
    """The launches of one call, forward, backward and the optimiser's."""
    launches = Launches(device)
    with launches:
        step()
    return launches.total


def _step(case: Case, augmented: bool, where: str) -> Callable[[], object]:
    model = case.build(augmenter=augmented, batch_mode=0.5)
    data = model.data_preprocessor(case.data(case.shape), True)
    model(**data, mode='loss')  # the first one reads what later ones remember
    if where == 'meta':
        # Draws are made on the host, from a policy that moves between two stages only.
        policy = deepcopy(model.augmenter.policy) if augmented else None
        model.to('meta')
        if augmented:
            model.augmenter.policy = policy
        samples = [sample.to('meta') for sample in data['data_samples']]
        data = {'inputs': data['inputs'].to('meta'), 'data_samples': samples}
    optimizer = OptimWrapper(torch.optim.SGD(model.student.parameters(), lr=1e-6, momentum=0.9))

    def step() -> None:
        loss = model.parse_losses(model(**data, mode='loss'))[0]
        optimizer.update_params(loss)

    if where == 'cpu':
        return step
    return _without_reads(step)


def _without_reads(step: Callable[[], object]) -> Callable[[], object]:
    """A step on ``meta``, without the accuracy that mmseg reads from the device."""

    def accuracy(*args: Any, **kwargs: Any) -> Tensor:
        return torch.zeros(1, device='meta')

    def call() -> None:
        with (
            meta_device(),
            mock.patch('mmseg.models.decode_heads.decode_head.accuracy', accuracy),
        ):
            step()

    return call
