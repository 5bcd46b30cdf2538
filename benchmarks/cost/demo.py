"""What the classification demo costs as configured, counted in passes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config

from tst_mm.engine.schedule.adaptive_amount_hook import AdaptiveAmountHook
from tst_mm.engine.schedule.alternating_schedule_hook import AlternatingScheduleHook
from tst_mm.engine.schedule.stages import spread_stages

from .networks import CONFIGS, cases
from .steps import DRAWS, Steps

_AMOUNT = AdaptiveAmountHook()
#: Images of a look of the adaptive amount, seen and unseen.
LOOK_IMAGES = 2 * _AMOUNT.images


@dataclass(frozen=True)
class DemoSchedule:
    """The demo's schedule.

    Attributes:
        student_steps: Of the whole training.
        student_images: Images in a student step.
        stage_steps: Of all stages.
        stage_images: Images in a step of a stage, each draw of one counted.
        looks: Of the adaptive amount.
    """

    student_steps: int
    student_images: int
    stage_steps: int
    stage_images: int
    looks: int


def demo_schedule() -> DemoSchedule:
    """Read ``configs/demo/classification_tst.py`` as the hooks do."""
    config = Config.fromfile(CONFIGS / 'demo' / 'classification_tst.py')
    given = next(h for h in config.custom_hooks if h['type'] == 'tst_mm.AlternatingScheduleHook')
    hook = AlternatingScheduleHook(**{k: v for k, v in given.items() if k != 'type'})
    loader = config.train_dataloader
    steps = config.train_cfg.max_epochs * _batches(loader)
    drawn = {**loader, **(hook.dataloader or {})}['batch_size'] * hook.search.draws
    stages = spread_stages(hook.stages, steps, loader['batch_size'] / drawn)
    return DemoSchedule(
        steps,
        loader['batch_size'],
        sum(stage.length for stage in stages),
        drawn,
        count_looks(steps, loader['batch_size']),
    )


def demo_cost() -> dict[str, float]:
    """The demo's schedule, the part of its counted cost that is search, and TST over plain KD.

    A look of the adaptive amount asks both networks once an image.
    """
    schedule, case = demo_schedule(), cases(torch.device('cpu'))['demo']
    flops, batch = Steps(case, torch.device('cpu')).flops(), case.shape[0]
    student = schedule.student_steps * schedule.student_images * flops['step/kd'] / batch
    drawn = schedule.stage_steps * schedule.stage_images
    stages = drawn * flops['step/search'] / (DRAWS * batch)
    looks = schedule.looks * LOOK_IMAGES * (flops['Fs'] + flops['Ft/kd']) / batch
    whole = student + stages + looks
    return {
        'student_steps': float(schedule.student_steps),
        'stage_steps': float(schedule.stage_steps),
        'stage_images': float(schedule.stage_images),
        'stages': stages / whole,
        'looks': looks / whole,
        'tst/kd': whole / student,
    }


def count_looks(steps: int, images: int) -> int:
    """Looks of the adaptive amount in a training of so many student steps.

    Args:
        steps: Student steps.
        images: Images of a step.
    """
    last = int(_AMOUNT.release * steps) - 1
    return max(0, last) // max(1, steps // _AMOUNT.affordable_looks(steps * images))


def _batches(loader: dict[str, Any]) -> int:
    return math.ceil(loader['dataset']['indices'] / loader['batch_size'])
