"""Policies found by short and long searches, and with a teacher that knows nothing.

    python -m benchmarks.accuracy.searches --task cifar10_300    # after its KD run of seed 0

Student and teacher stand still: the student is the one that plain KD left.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tst_mm.experiments import markdown_table
from tst_mm.utils.git import git_state

from .cells import ROOT, Cell, make_config
from .matrix import TASKS
from .runs import student_of

PATH = Path(__file__).with_name('searches.md')
#: Name: steps, images in each, whether the teacher is the trained one. The last one of a trained
#: teacher is what the others are compared with.
SEARCHES = {
    '20 x 16 images': (20, 16, True),
    '50 x 16': (50, 16, True),
    '480 x 16': (480, 16, True),
    '50 x 16, untrained teacher': (50, 16, False),
}


def main(argv: list[str] | None = None) -> None:
    """Search, write and print the table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.accuracy.searches',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--task', choices=TASKS, required=True)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs' / 'accuracy')
    parser.add_argument('--out', type=Path, default=PATH)
    args = parser.parse_args(argv)
    logging.disable(logging.INFO)
    found = {}
    for name, plan in SEARCHES.items():
        print(f'searching: {name}', file=sys.stderr, flush=True)
        found[name] = search(args.task, args.seed, args.work_dir.resolve(), *plan)
    head = f'At commit `{git_state(ROOT)}`, {TASKS[args.task].title}:'
    args.out.write_text(f'{head}\n\n{format_policies(found)}\n')
    print(args.out.read_text())


def search(
    task: str, seed: int, work_dir: Path, iters: int, images: int, trained: bool
) -> list[dict]:
    """One stage against the student that plain KD left.

    Args:
        task: Key of ``TASKS``.
        seed: Of the KD run, and of the search.
        work_dir: Of the matrix.
        iters: Steps of the stage.
        images: In each.
        trained: Whether the teacher is the trained one; else it has random weights.

    Returns:
        The operators of the policy file.
    """
    from tst_mm.engine.launch import train

    student, teacher = student_of(task, seed, work_dir)
    config = make_config(Cell(task, 'tst', seed))
    config.load_from = str(student)
    config.model.teacher.checkpoint = str(teacher) if trained else 'random'
    config.model.batch_mode = 0.5
    config.train_cfg.update(max_iters=1, val_interval=2)
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    (hook,) = config.custom_hooks
    hook.stages = [dict(begin=0, iters=iters)]
    hook.dataloader = dict(batch_size=images)
    config.randomness = dict(seed=seed)
    config.launcher = 'none'
    with TemporaryDirectory() as folder:
        config.work_dir = folder
        train(config)
        return json.loads((Path(folder) / 'policy.json').read_text())['operators']


def format_policies(found: dict[str, list[dict]]) -> str:
    """Rates and magnitudes of all searches, and how alike they are.

    Args:
        found: The operators that each search found, by its name.
    """
    names = [operator['name'] for operator in next(iter(found.values()))]
    rows = [
        [name, *(_cell(operators[i]) for operators in found.values())]
        for i, name in enumerate(names)
    ]
    rates = {key: [operator['rate'] for operator in ops] for key, ops in found.items()}
    longest = rates[next(name for name in reversed(found) if SEARCHES[name][2])]
    alike = [f'{np.corrcoef(values, longest)[0, 1]:.2f}' for values in rates.values()]
    rows.append(['correlation of the rates with those of the longest', *alike])
    return markdown_table(['rate / magnitude', *found], rows)


def _cell(operator: dict) -> str:
    magnitude = operator.get('magnitude')
    return f'{operator["rate"]:.2f}' + (f' / {magnitude:.2f}' if magnitude is not None else '')


if __name__ == '__main__':
    main()
