"""The file of results: a line of JSON a run, appended as runs finish, never changed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tst_mm.experiments import Run, read_result, read_scalars

from .cells import Cell

PATH = Path(__file__).with_name('results.jsonl')
#: Of the search by gradient, which was the recommended one before; nothing is added to it.
BEFORE = Path(__file__).with_name('before.jsonl')


@dataclass(frozen=True)
class Row:
    """What one run reached and what it cost.

    Attributes:
        task: The key of the task in ``TASKS``, or for a teacher the name of its data.
        method: The key of the method in ``METHODS``, or ``'teacher'``.
        seed: The seed of the run.
        split: The images that were validated on, ``'test'`` or ``'val'``.
        metric: The metric at the end of the run, in percent: of the last epoch, not the best one.
        steps: The number of student steps.
        cost: The counted cost of the run, in student steps of plain KD.
        seconds: The seconds in steps of both kinds, as logged.
        config: The fingerprint of the config.
        commit: The commit of the code, with ``+`` when files were changed.
        policy: The final policy, ``{operator: [rate, magnitude]}``.
        stages: The logged means of each look into a stage: the student step, the teacher's loss and
            the student's weakness; in the file of the search by gradient confidences.
        amount: The final fraction of augmented images, where it is adaptive.
    """

    task: str
    method: str
    seed: int
    split: str
    metric: float
    steps: int
    cost: float
    seconds: float
    config: str
    commit: str
    policy: dict[str, list[float | None]] = field(default_factory=dict)
    stages: list[list[float]] = field(default_factory=list)
    amount: float | None = None


def read(path: Path = PATH) -> list[Row]:
    """All rows of a file; none when there is no such file.

    Raises:
        ValueError: A line is not a row; the file and the number of the line are named.
    """
    rows = []
    if not path.exists():
        return rows
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            rows.append(Row(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f'{path}, line {number}: {error}') from error
    return rows


def append(row: Row, path: Path = PATH) -> None:
    """Add a row and have it on the disk before returning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('a') as file:
        file.write(json.dumps(asdict(row)) + '\n')
        file.flush()
        os.fsync(file.fileno())


def row_of(cell: Cell, run: Run, metric: str, scale: float, **known: object) -> Row:
    """Read what a finished run has left in its folder.

    Args:
        cell: The place of the run in the matrix.
        run: The run itself, which is finished.
        metric: The name of the metric in MMEngine's scalars.
        scale: What the metric is multiplied by to be in percent.
        **known: The other fields of the row.

    Raises:
        KeyError: The metric was never logged.
    """
    found = read_result(run, metric, scale)
    keys = ('step', 'augmenter/loss_teacher', 'augmenter/loss_student')
    scalars = read_scalars(run.folder)
    looks = [entry for entry in scalars if keys[1] in entry]
    fractions = [entry['amount/fraction'] for entry in scalars if 'amount/fraction' in entry]
    return Row(
        task=cell.task,
        method=cell.method,
        seed=cell.seed,
        split=cell.split,
        metric=found.metric,
        steps=found.steps,
        seconds=round(found.total, 2),
        policy=_policy(run.folder / 'policy.json'),
        stages=[[round(entry[key], 4) for key in keys] for entry in looks],
        amount=round(fractions[-1], 4) if fractions else None,
        **known,
    )


def _policy(path: Path) -> dict[str, list[float | None]]:
    if not path.exists():
        return {}
    operators = json.loads(path.read_text())['operators']
    return {op['name']: [round(op['rate'], 4), _round(op.get('magnitude'))] for op in operators}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
