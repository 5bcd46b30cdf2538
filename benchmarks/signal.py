"""How much a search can know: effects measured on hard draws beside gradients of relaxed gates.

    python -m benchmarks.signal --task classification     # after: python tools/demo.py
    python -m benchmarks.signal --task retinanet --images 480

A student of the demo's plain distillation, its teacher and the policy stand still. Both searches
look at as much as they can for the same counted cost (docs/cost.md): the measuring one at a draw of
an image for Fs + Ft, the published one at an image for 2 (Fs + Ft). Signal to noise is the mean,
over the operators' rates, of an estimate's size over its standard error; of pure noise it is 0.8.
Agreement is the correlation of the estimates of two halves of the images.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.runner.checkpoint import load_checkpoint
from torch import Tensor, nn

from tst_mm.experiments import markdown_table
from tst_mm.models.modes import frozen
from tst_mm.registry import MODELS
from tst_mm.search import MeasuringSearch
from tst_mm.utils.git import git_state

ROOT = Path(__file__).resolve().parents[1]
PATH = Path(__file__).with_name('signal.json')
TASKS = ('classification', 'retinanet', 'faster_rcnn', 'pspnet')
#: The search by gradient needs the published form's augmenter, here with the recommended switches.
_RELAXED = {
    'augmenter': {'type': 'tst_mm.PaperAugmenter', 'preset': 'recommended'},
    'objective': {'type': 'tst_mm.FlippedObjective'},
}


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
        prog='python -m benchmarks.signal',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--task', nargs='+', choices=TASKS, required=True, metavar='TASK')
    parser.add_argument(
        '--images', type=int, default=800, help='draws of the measuring search (default: 800)'
    )
    parser.add_argument(
        '--objective', help='type, for the measuring search (default: that of the task)'
    )
    parser.add_argument('--seeds', type=int, default=3, help='repetitions (default: 3)')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/demo'))
    parser.add_argument('--out', type=Path, default=PATH)
    args = parser.parse_args(argv)
    found = json.loads(args.out.read_text()) if args.out.exists() else {}
    for task in args.task:
        checkpoint = _student(args.work_dir, task)
        seeds = [
            measure(task, checkpoint, args.images, seed, args.objective)
            for seed in range(args.seeds)
        ]
        found[task] = {
            'images': args.images,
            'seeds': args.seeds,
            'objective': args.objective or 'default',
            'commit': git_state(ROOT),
            **{
                form: {key: _mean(seeds, form, key) for key in ('signal', 'agreement')}
                for form in ('measured', 'gradient')
            },
        }
        args.out.write_text(json.dumps(found, indent=1) + '\n')
    print(table(found))


def measure(
    task: str, student: Path, images: int, seed: int, objective: str | None
) -> dict[str, dict[str, float]]:
    """Signal to noise and agreement of both searches.

    Args:
        task: A demo.
        student: Checkpoint of its distiller.
        images: Draws of the measuring search; the other one looks at half as many images.
        seed: Of the images and the draws.
        objective: Type of the measuring search's objective; None for that of the task.

    Returns:
        ``{'measured': {'signal': ..., 'agreement': ...}, 'gradient': {...}}``.
    """
    return {
        'measured': _measured(*_trained(task, student, _objective(objective), seed), images, seed),
        'gradient': _gradient(*_trained(task, student, _RELAXED, seed), images // 2, seed),
    }


def table(found: dict[str, Any]) -> str:
    """The results as a table of Markdown."""
    rows = [
        [
            task,
            str(entry['images']),
            f'{entry["gradient"]["signal"]:.2f}',
            f'{entry["measured"]["signal"]:.2f}',
            f'{entry["measured"]["signal"] / entry["gradient"]["signal"]:.1f}',
            f'{entry["gradient"]["agreement"]:.2f}',
            f'{entry["measured"]["agreement"]:.2f}',
        ]
        for task, entry in found.items()
    ]
    head = ['task', 'draws', 'gradient', 'measured', 'ratio', 'gradient agrees', 'measured agrees']
    return markdown_table(head, rows)


def _measured(
    model: Any, data: Iterator[Any], batch: int, images: int, seed: int
) -> dict[str, float]:
    """Effects of all images, and of both halves."""
    searches = [MeasuringSearch(forgetting=1.0) for _ in range(2)]
    steps = max(2, round(images / (batch * searches[0].draws)))
    for search in searches:
        search.begin(model, steps, steps)
    model.objective.update(_losses(model, next(data)))
    for step in range(steps):
        model.augmenter.reseed(seed, step)
        searches[step % 2].step(next(data))
    halves = [search.effects() for search in searches]
    searches[0].experiment.merge(searches[1].experiment.state_dict())
    effects = searches[0].effects()
    signal = (effects.main / effects.main_error).abs().mean()
    return {'signal': float(signal), 'agreement': _correlation(*(half.main for half in halves))}


def _losses(model: Any, data: Any) -> dict[str, Tensor]:
    """The student's losses on a batch: the scale of the objective in the midst of training."""
    return model.score(data)['terms']


def _gradient(
    model: Any, data: Iterator[Any], batch: int, images: int, seed: int
) -> dict[str, float]:
    """The mean gradient of all steps, and of both halves."""
    keep = _Keep(model.augmenter.policy)
    steps = max(4, round(images / batch))
    for step in range(steps):
        model.augmenter.reseed(seed, step)
        with frozen(model.distiller):
            model.objective.step(model, next(data), keep)
    gradients = torch.stack(keep.gradients).double()
    error = gradients.std(0) / math.sqrt(len(gradients))
    drawn = error > 0
    signal = (gradients.mean(0) / error)[drawn].abs().mean()
    halves = (gradients[0::2].mean(0), gradients[1::2].mean(0))
    return {'signal': float(signal), 'agreement': _correlation(*halves)}


def _trained(
    task: str, student: Path, changes: dict[str, Any], seed: int
) -> tuple[Any, Iterator[Any], int]:
    """TST's distiller of a demo with the student of plain KD, its batches and their size."""
    config = Config.fromfile(ROOT / 'configs' / 'demo' / f'{task}_tst.py')
    for key, value in changes.items():
        config.model[key] = value
    if 'data_preprocessor' in config:
        config.model.data_preprocessor = config.data_preprocessor
    batch = 16 if task == 'classification' else 4
    config.train_dataloader.update(batch_size=batch, num_workers=0, persistent_workers=False)
    config.train_dataloader.setdefault(
        'collate_fn',
        {'type': 'default_collate' if task == 'classification' else 'pseudo_collate'},
    )
    config.train_dataloader.sampler = {'type': 'InfiniteSampler', 'shuffle': True}
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
        load_checkpoint(model, str(student), map_location='cpu')
        loader = Runner.build_dataloader(config.train_dataloader, seed=seed)
    return model.train(), iter(loader), batch


def _student(work_dir: Path, task: str) -> Path:
    """The last checkpoint of the demo's plain distillation.

    Raises:
        SystemExit: There is none.
    """
    last = work_dir / task / 'kd_seed0' / 'last_checkpoint'
    if not last.is_file():
        raise SystemExit(f'{last} is not there; run python tools/demo.py --task {task} first')
    return Path(last.read_text().strip())


def _objective(kind: str | None) -> dict[str, Any]:
    """What a config says of the objective; nothing for the default."""
    return {} if kind is None else {'objective': {'type': kind}}


def _mean(seeds: list[dict[str, dict[str, float]]], form: str, key: str) -> float:
    return round(float(np.mean([seed[form][key] for seed in seeds])), 3)


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(np.corrcoef(a.numpy(), b.numpy())[0, 1])


if __name__ == '__main__':
    logging.disable(logging.INFO)
    main()
