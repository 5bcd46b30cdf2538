"""Trains cells that have no result yet, through tools/train.py, and keeps their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config

from tst_mm.experiments import Run, train_all
from tst_mm.utils.git import git_state

from . import results
from .cells import ROOT, Cell, config_key, cost_of, make_config, plan
from .matrix import METHODS, TASKS
from .results import Row

#: Method of a teacher's row, whose task is the name of its data.
TEACHER = 'teacher'


def train_cells(
    cells: Sequence[tuple[str, str, int]], split: str, work_dir: Path, path: Path, jobs: int
) -> None:
    """Train what is missing; results are appended as runs finish.

    Args:
        cells: The task, method and seed of each run, in order of importance.
        split: The images that are validated on, ``'test'`` or ``'val'``.
        work_dir: The folder that the runs go to.
        path: The file of results.
        jobs: How many trainings run at a time.

    Raises:
        RunError: A training failed; the others are stopped.
    """
    wanted = [Cell(task, method, seed, split) for task, method, seed in cells]
    missing = _missing(wanted, work_dir, path)
    print(f'{len(wanted)} runs asked for, {len(wanted) - len(missing)} have a result', flush=True)
    # A run that starts from the policy of another one waits for it.
    needed = [replace(c, method=METHODS[c.method].policy_of) for c in missing if _needs(c)]
    first = [cell for cell in missing if not _needs(cell)]
    first += [cell for cell in _missing(needed, work_dir, path) if cell not in first]
    for part in (first, [cell for cell in missing if _needs(cell)]):
        runs = {
            _teacher(cell.task, work_dir): Cell(TASKS[cell.task].data, TEACHER, 0) for cell in part
        }
        runs |= {_make_run(cell, work_dir): cell for cell in part}

        def keep(run: Run, runs: dict[Run, Cell] = runs) -> None:
            results.append(_row(run, runs[run]), path)

        known = {(row.task, row.method, row.seed, row.split) for row in results.read(path)}
        for run, cell in runs.items():
            if run.finished and (cell.task, cell.method, cell.seed, cell.split) not in known:
                keep(run)  # killed between its end and its line
        train_all([run for run in runs if not run.finished], jobs, on_finish=keep, cwd=ROOT)


def repeat(task: str, method: str, seed: int, work_dir: Path, path: Path) -> tuple[float, float]:
    """Train a cell again, in a fresh folder.

    Returns:
        The metric in the file of results, and the one just reached.

    Raises:
        KeyError: The cell has no result yet.
    """
    cell = Cell(task, method, seed)
    known = [row.metric for row in results.read(path) if _is(row, cell)]
    if not known:
        raise KeyError(f'{cell.name} has no result in {path}; run it first')
    run = _make_run(cell, work_dir, 'repeated')
    train_all([_teacher(task, work_dir), run], 1, cwd=ROOT)
    return known[-1], _row(run, cell).metric


def student_of(task: str, seed: int, work_dir: Path) -> tuple[Path, Path]:
    """Checkpoints of a finished KD run and of its teacher.

    Raises:
        FileNotFoundError: The run is not finished.
    """
    runs = _make_run(Cell(task, 'kd', seed), work_dir), _teacher(task, work_dir)
    for run in runs:
        if run.checkpoint is None:
            raise FileNotFoundError(f'{run.name} is not finished; run the matrix first')
    return runs[0].checkpoint, runs[1].checkpoint


def _missing(cells: Sequence[Cell], work_dir: Path, path: Path) -> list[Cell]:
    """Cells without a result of their present config."""
    have = {(row.task, row.method, row.seed, row.split, row.config) for row in results.read(path)}
    return [
        cell
        for cell in dict.fromkeys(cells)
        if (cell.task, cell.method, cell.seed, cell.split, config_key(_config(cell, work_dir)))
        not in have
    ]


def _needs(cell: Cell) -> bool:
    return METHODS[cell.method].policy_of is not None


def _is(row: Row, cell: Cell) -> bool:
    return (row.task, row.method, row.seed, row.split) == (
        cell.task,
        cell.method,
        cell.seed,
        cell.split,
    )


def _config(cell: Cell, work_dir: Path) -> Config:
    policy = None
    if _needs(cell):
        other = replace(cell, method=METHODS[cell.method].policy_of)
        path = work_dir / other.name / 'policy.json'
        policy = str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
    return make_config(cell, policy)


def _make_run(cell: Cell, work_dir: Path, suffix: str = '') -> Run:
    """Write a cell's config; it is trained from there."""
    config = _config(cell, work_dir)
    folder = work_dir / (cell.name + suffix)
    path = work_dir / 'configs' / f'{cell.name}.py'
    path.parent.mkdir(parents=True, exist_ok=True)
    config.dump(path)
    teacher = _teacher(cell.task, work_dir) if METHODS[cell.method].model is not None else None
    return Run(cell.name + suffix, path, folder, cell.seed, teacher)


def _teacher(task: str, work_dir: Path) -> Run:
    data = TASKS[task].data
    return Run(f'teacher of {data}', ROOT / TASKS[task].teacher, work_dir / 'teachers' / data)


def _row(run: Run, cell: Cell) -> Row:
    if cell.method == TEACHER:
        task, cost = next(task for task in TASKS.values() if task.data == cell.task), 0.0
    else:
        task = TASKS[cell.task]
        cost = plan(task, METHODS[cell.method], cost_of(cell.task)).cost
    config = Config.fromfile(run.config)
    return results.row_of(
        cell,
        run,
        task.metric,
        task.scale,
        cost=round(cost, 2),
        config=config_key(config),
        commit=git_state(ROOT),
    )
