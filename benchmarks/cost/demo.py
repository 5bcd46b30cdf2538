"""How many steps of each kind the classification demo takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from tst_mm.engine.schedule.stages import parse_stages, resolve_stages

from .networks import CONFIGS


@dataclass(frozen=True)
class DemoSchedule:
    """The demo's schedule.

    Attributes:
        student_steps: The number of student steps of the whole training.
        augmenter_steps: The number of augmenter steps of all stages.
        stage_images: How many images a step of a stage has.
    """

    student_steps: int
    augmenter_steps: int
    stage_images: int


def demo_schedule() -> DemoSchedule:
    """Read ``configs/demo/classification_tst.py``."""
    config = Config.fromfile(CONFIGS / 'demo' / 'classification_tst.py')
    hook = next(h for h in config.custom_hooks if h['type'] == 'tst_mm.AlternatingScheduleHook')
    loader = config.train_dataloader
    stage_loader = {**loader, **hook.get('dataloader', {})}
    epochs = config.train_cfg.max_epochs
    stages = resolve_stages(
        parse_stages(hook['stages'], epochs),
        epochs,
        'epochs',
        _batches(loader),
        _batches(stage_loader),
    )
    return DemoSchedule(
        epochs * _batches(loader),
        sum(stage.length for stage in stages),
        stage_loader['batch_size'],
    )


def _batches(loader: dict[str, Any]) -> int:
    return math.ceil(loader['dataset']['indices'] / loader['batch_size'])
