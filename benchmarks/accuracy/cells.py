"""From a cell of the matrix (task, method, seed) to the config that is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

from benchmarks.cost.demo import LOOK_IMAGES, count_looks
from benchmarks.cost.steps import DRAWS
from tst_mm.engine.schedule.stages import DEFAULT_STAGES, Stage, spread_stages
from tst_mm.experiments import fingerprint

from .cost import Cost, measure
from .matrix import METHODS, TASKS, Method, Task

ROOT = Path(__file__).resolve().parents[2]
_HELD_OUT = 5000  # images of a validation split, at most
_WITH_SLICE = 200  # images from which the adaptive amount has some to spare


@dataclass(frozen=True)
class Cell:
    """One run.

    Attributes:
        task: The key of the task in ``TASKS``.
        method: The key of the method in ``METHODS``.
        seed: The seed of the run, and of the choice of its training images.
        split: The images that are validated on: those of ``'test'``, the default, or of ``'val'``,
            which are training images that the student does not see.
    """

    task: str
    method: str
    seed: int
    split: str = 'test'

    @property
    def name(self) -> str:
        """In messages and paths."""
        suffix = '' if self.split == 'test' else f'_{self.split}'
        return f'{self.task}{suffix}/{self.method}_seed{self.seed}'


@dataclass(frozen=True)
class Plan:
    """How long a run is, so that it costs what the others cost.

    Attributes:
        steps: The number of student steps.
        stages: Where stages begin and how long they are, as the schedule's hook finds them.
        cost: The cost of everything, in steps of plain KD.
    """

    steps: int
    stages: tuple[Stage, ...]
    cost: float


def plan(task: Task, method: Method, cost: Cost) -> Plan:
    """As many student steps as the budget pays for, beside the stages and looks that they bring.

    Raises:
        ValueError: The budget is below the cost of the shortest run.
    """
    student = cost.step(teacher=method.model is not None, images=method.images)
    spread = {**DEFAULT_STAGES, **(method.search or {}).get('stages', {})}
    least = spread['count'] if method.search is not None else 1
    drawn = (task.stage_images or cost.images) * (1 if method.by_gradient else DRAWS)
    for steps in range(math.floor(task.budget / student), least - 1, -1):
        stages = []
        if method.search is not None:
            stages = spread_stages(spread, steps, cost.images / drawn)
        images = drawn * sum(stage.length for stage in stages)
        total = steps * student + cost.searched(images, method.by_gradient)
        if method.adaptive and task.images >= _WITH_SLICE:
            total += cost.looked(count_looks(steps, cost.images) * LOOK_IMAGES)
        if total <= task.budget:
            return Plan(steps, tuple(stages), total)
    raise ValueError(f'{method.title} does not fit a budget of {task.budget} steps')


def make_config(cell: Cell, policy: str | None = None) -> Config:
    """The config of a cell.

    Args:
        cell: The place of the run in the matrix.
        policy: The file of the policy that a method with ``policy_of`` starts from. Defaults to
            None, for all other methods.
    """
    task, method = TASKS[cell.task], METHODS[cell.method]
    schedule = plan(task, method, cost_of(cell.task))
    config = Config.fromfile(ROOT / task.student)
    seen, held_out = split_images(cell)
    config.train_dataloader.dataset.indices = seen
    if cell.split == 'val':
        pipeline = config.val_dataloader.dataset.pipeline
        dataset = {**config.train_dataloader.dataset, 'pipeline': pipeline, 'indices': held_out}
        config.val_dataloader.dataset = dataset
    if method.model is not None:
        config.model = distiller(task, config.model, dict(method.model), policy)
    if method.search is not None:
        hook = dict(type='tst_mm.AlternatingScheduleHook', **method.search)
        if task.stage_images:
            hook['dataloader'] = dict(batch_size=task.stage_images)
        config.custom_hooks = [hook]
    elif method.augments:
        config.custom_hooks = [dict(type='tst_mm.AlternatingScheduleHook', stages=[])]
    _set_length(config, schedule.steps)
    return config


def distiller(
    task: Task, student: dict[str, Any], changes: dict[str, Any], policy: str | None
) -> dict[str, Any]:
    """Plain KD's model, with the changes of a method."""
    augmenter = changes.get('augmenter', {})
    if augmenter.get('preset') == 'paper' and task.distiller != 'ClassificationDistiller':
        # Boxes and maps cannot follow the overlaid images of the reference's classification.
        changes['augmenter'] = {**augmenter, 'preset': 'paper_dense'}
    if policy is not None:
        changes['augmenter'] = {**changes['augmenter'], 'init': policy}
    teacher = dict(cfg_path=task.teacher, checkpoint=None)
    return dict(type=f'tst_mm.{task.distiller}', student=student, teacher=teacher, **changes)


def split_images(cell: Cell) -> tuple[list[int], list[int]]:
    """The training images of a cell, and other ones to validate on.

    Where images have one class each, both are balanced as the data is.
    """
    task = TASKS[cell.task]
    labels = _labels(cell.task)
    generator = torch.Generator().manual_seed(1000 + cell.seed)
    order = torch.randperm(len(labels), generator=generator)
    # The n-th image of every class, before the (n + 1)-th of any.
    rank = torch.empty(len(labels), dtype=torch.long)
    for label in labels.unique():
        members = order[labels[order] == label]
        rank[members] = torch.arange(len(members))
    chosen = order[torch.sort(rank[order], stable=True).indices].tolist()
    return sorted(chosen[: task.images]), sorted(chosen[task.images :][:_HELD_OUT])


@cache
def cost_of(task: str) -> Cost:
    """What the steps of a task cost."""
    return measure(_kd_config(task))


@cache
def _labels(task: str) -> torch.Tensor:
    """Classes of all training images; 0 where an image has many."""
    config = Config.fromfile(ROOT / TASKS[task].student)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        dataset = DATASETS.build({**config.train_dataloader.dataset, 'indices': None})
    if TASKS[task].distiller == 'ClassificationDistiller':
        return torch.tensor(
            [int(dataset.get_data_info(i)['gt_label']) for i in range(len(dataset))]
        )
    return torch.zeros(len(dataset), dtype=torch.long)


def _kd_config(task: str) -> Config:
    config = Config.fromfile(ROOT / TASKS[task].student)
    config.model = distiller(TASKS[task], config.model, {}, None)
    return config


def _set_length(config: Config, steps: int) -> None:
    config.train_cfg.update(max_iters=steps, val_interval=steps)
    config.default_hooks.checkpoint.interval = steps
    schedulers = config.param_scheduler
    for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
        if 'T_max' in scheduler:
            scheduler['T_max'] = steps - scheduler.get('begin', 0)


def config_key(config: Config) -> str:
    """What the file of results keeps of a config; it changes with anything in it."""
    return fingerprint(config.to_dict())[:16]
