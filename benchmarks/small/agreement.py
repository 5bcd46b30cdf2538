"""How well two searches agree, and on which part of the objective: teacher, student, their sum.

    python -m benchmarks.small.agreement --tasks cifar_1k fashion_300

A student is trained for some steps with half of its images augmented, and then stands still while
searches look at it, each with as many copies as those of a whole run of TST. The policies that they
would end with are correlated. Where both parts agree and their sum does not, what a change of an
image costs the teacher is about what it costs the student.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from torch import Tensor

from tst_mm.experiments import markdown_table
from tst_mm.search import MeasuringSearch
from tst_mm.search.experiment import FactorialExperiment
from tst_mm.search.measuring_search import LEAST_RATE
from tst_mm.search.tilt import tilt

from .matrix import METHODS, TASKS
from .training import STAGE_BATCH, Training

#: What is correlated: parts of the objective, and the objective of twice as many copies.
COLUMNS = ("the teacher's loss", "the student's weakness", 'their sum', 'their sum, two searches')
_DRAWS = MeasuringSearch().draws


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.small.agreement',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--tasks', nargs='+', choices=TASKS, default=['cifar_1k', 'fashion_300'])
    parser.add_argument('--seed', type=int, default=100)
    parser.add_argument('--steps', type=int, default=700, help='of the student (default: 700)')
    parser.add_argument('--searches', type=int, default=16, help='(default: 16)')
    parser.add_argument('--data', type=Path, default=Path('data'), help='(default: data)')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/small'))
    args = parser.parse_args(argv)
    rows = []
    for task in args.tasks:
        found = agreement(task, args.seed, args.steps, args.searches, args.data, args.work_dir)
        rows.append((TASKS[task].title, *(f'{value:.2f}' for value in found.values())))
    print(markdown_table(('', *COLUMNS), rows))


def agreement(
    task: str, seed: int, steps: int, searches: int, data: Path, work_dir: Path
) -> dict[str, float]:
    """Train a student, search several times, correlate.

    Args:
        task: The task.
        seed: The seed of student and searches.
        steps: The number of steps of the student.
        searches: The number of searches, at least 4.
        data: The folder of all data.
        work_dir: Where the teacher is.

    Returns:
        The mean correlation of two searches by :data:`COLUMNS`.
    """
    where = data / TASKS[task].data, work_dir
    of_a_run = Training(TASKS[task], METHODS['tst'], seed, *where)
    copies = METHODS['tst'].stages * of_a_run.stage_length
    training = Training(replace(TASKS[task], budget=steps), METHODS['random-half'], seed, *where)
    training.run()
    policies = defaultdict(list)
    before: dict[str, Tensor] | None = None
    with training.augmenter.policy.at_least(LEAST_RATE):
        for _ in range(10):  # the scales of the objective
            training.objective.update(training.score(training.batch(STAGE_BATCH), 1)['terms'])
        for index in range(searches):
            sums = _sums(training, index, copies)
            for name, values in sums.items():
                policies[name].append(_policy(training, values))
            if index % 2:
                assert before is not None
                policies[COLUMNS[3]].append(_policy(training, before, sums[COLUMNS[2]]))
            before = sums[COLUMNS[2]]
    return {
        name: mean(float(np.corrcoef(a, b)[0, 1]) for a, b in combinations(policies[name], 2))
        for name in COLUMNS
    }


def _experiment(training: Training) -> FactorialExperiment:
    return FactorialExperiment([one.has_magnitude for one in training.augmenter.policy.operators])


def _sums(training: Training, index: int, steps: int) -> dict[str, dict[str, Tensor]]:
    """What a search observes, by the values that it looks at."""
    experiments = {name: _experiment(training) for name in COLUMNS[:3]}
    groups = torch.arange(STAGE_BATCH).repeat(_DRAWS)
    for step in range(steps):
        training.augmenter.reseed(training.seed, 1 + index, step)
        score = training.score(training.batch(STAGE_BATCH), _DRAWS)
        values = (score['loss_teacher'], score['loss_student'], score['objective'])
        for experiment, value in zip(experiments.values(), values, strict=True):
            new = _experiment(training)
            new.observe(score['draw'].gates, score['draw'].magnitudes, value, groups)
            experiment.merge(new.state_dict())
    return {name: experiment.state_dict() for name, experiment in experiments.items()}


def _policy(training: Training, *sums: dict[str, Tensor]) -> np.ndarray:
    """What the policy would be at the end, in logits less the prior."""
    experiment = _experiment(training)
    for one in sums:
        experiment.merge(one)
    return tilt(experiment.effects(), 1.0)[0].numpy()


if __name__ == '__main__':
    main()
