"""How well a search can know what it learns: the gradient of the rates beside their true effects.

    python -m benchmarks.accuracy.gradients --task cifar10_300    # after its KD run of seed 0

The effect of an operator is what the objective changes when it acts, by linear regression of
every image's objective on hard gates. The gradient is that of the augmenter's own steps, over
which student, teacher and policy stand still. Signal to noise is the mean of a gradient over its
standard deviation from step to step; it grows with the square root of the images.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.runner.checkpoint import load_checkpoint
from torch import Tensor, nn

from tst_mm.registry import MODELS

from .cells import ROOT, Cell, make_config
from .matrix import TASKS

PATH = Path(__file__).with_name('gradients.json')
_CLASSIFIED = [name for name, t in TASKS.items() if t.distiller == 'ClassificationDistiller']


class _Keep(OptimWrapper):
    """Keeps the gradients of the rates in place of a step."""

    def __init__(self, policy: nn.Module) -> None:
        super().__init__(torch.optim.SGD(policy.parameters(), lr=0.0))
        self._policy = policy
        self.gradients: list[Tensor] = []

    def step(self, **kwargs: Any) -> None:
        """Nothing moves."""
        self.gradients.append(self._policy.probability_logits.grad.clone())


def main(argv: list[str] | None = None) -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.accuracy.gradients',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--task', nargs='+', choices=_CLASSIFIED, required=True, metavar='TASK')
    parser.add_argument('--batches', type=int, default=60, help='of each kind (default: 60)')
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs' / 'accuracy')
    parser.add_argument('--out', type=Path, default=PATH)
    args = parser.parse_args(argv)
    logging.disable(logging.INFO)
    found = json.loads(args.out.read_text()) if args.out.exists() else {}
    for task in args.task:
        found[task] = measure(task, args.work_dir.resolve(), args.batches)
        args.out.write_text(json.dumps(found, indent=1) + '\n')
    print(json.dumps(found, indent=1))


def measure(task: str, work_dir: Path, batches: int) -> dict[str, Any]:
    """Effects and gradients against the student that plain KD of seed 0 left.

    Args:
        task: The key of a classification task.
        work_dir: The work folder of the matrix.
        batches: How many batches are taken, of 64 images for the effects and of 16 for the
            gradients.

    Returns:
        ``effects``, ``{operator: [teacher's term, student's term, standard error of the sum]}``;
        ``signal_to_noise`` of a gradient over 16 images, mean of the operators;
        ``correlation`` of the mean gradient with the effects; ``images`` for a signal of three.
    """
    model, data = _trained(task, work_dir)
    names = [operator.name for operator in model.augmenter.operators]
    gates, terms = _objectives(model, data, batches)
    design = torch.cat((torch.ones(len(gates), 1), gates), dim=1)
    solution = torch.linalg.lstsq(design, terms).solution
    rest = (terms - design @ solution).sum(1)
    error = (rest.var() * torch.linalg.inv(design.T @ design).diagonal()).sqrt()
    optimizer = _Keep(model.augmenter.policy)
    for step in range(batches):
        batch = next(data)
        model.augmenter.reseed(1, step)
        model.objective.step(model, {key: value[:16] for key, value in batch.items()}, optimizer)
    gradients = torch.stack(optimizer.gradients)
    mean, noise = gradients.mean(0), gradients.std(0)
    acts = noise > 0  # what changes nothing has neither signal nor noise
    signal = float((mean.abs() / noise)[acts].mean())
    effects = solution[1:].sum(1)
    return {
        'effects': {
            name: [round(float(v), 3) for v in (*solution[i + 1], error[i + 1])]
            for i, name in enumerate(names)
        },
        'signal_to_noise': round(signal, 3),
        'correlation': round(float(np.corrcoef(mean, effects)[0, 1]), 3),
        'images': round(16 * (3 / signal) ** 2, -2),
    }


def _objectives(model: nn.Module, data: Iterator[dict], batches: int) -> tuple[Tensor, Tensor]:
    """(n, operators) hard gates and (n, 2) terms of the objective of n images."""
    gates, terms = [], []
    with torch.no_grad():
        for step in range(batches):
            batch = model.data_preprocessor(next(data), True)
            target = torch.tensor([int(sample.gt_label) for sample in batch['data_samples']])
            model.augmenter.reseed(0, step)
            images, draw = model.augmenter(batch['inputs'])
            of_teacher = model.teacher.model(images, mode='tensor')
            of_student = model.student(images, mode='tensor').softmax(1)
            of_student = of_student.gather(1, target[:, None]).squeeze(1)
            weakness = -torch.log(1 - of_student + 1e-8)
            strength = F.cross_entropy(of_teacher, target, reduction='none')
            terms.append(torch.stack((strength, weakness), dim=1))
            gates.append(draw.gates)
    return torch.cat(gates), torch.cat(terms)


def _trained(task: str, work_dir: Path) -> tuple[nn.Module, Iterator[dict]]:
    """TST's distiller with the student of plain KD, not in training, and its batches."""
    from .runs import student_of

    student, teacher = student_of(task, 0, work_dir)
    config = make_config(Cell(task, 'tst', 0))
    config.model.teacher.checkpoint = str(teacher)
    config.model.data_preprocessor = config.data_preprocessor
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
        load_checkpoint(model, str(student), map_location='cpu')
        loader = Runner.build_dataloader(config.train_dataloader, seed=0)
    return model.eval(), iter(loader)


if __name__ == '__main__':
    main()
