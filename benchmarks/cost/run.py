"""Whole trainings: JPEG files, loader, hooks, stages, logs and checkpoints, not only steps.

    python -m benchmarks.cost.run            # about half an hour on two cores
    python -m benchmarks.cost.run --quick    # at most ten minutes
    python -m benchmarks.cost.run --options --only small large    # precisions, memory formats, ...

The same networks, images, batches and loader workers train with plain KD in MMRazor's own wrapper
(classifiers only: there both compute the same losses), with this project's KD, and with TST, half
of each batch augmented and a search stage; the latter two through ``tools/train.py`` with all its
default hooks. Each training is a process of its own; on a CPU those of a round take turns, an
iteration of one after an iteration of another, so that all see the same minutes of the machine.
What is measured is written after each round, so that an interrupted benchmark goes on where it was.
Trainings are short, so that start-up, the first iterations and what happens once in a run are told
apart, and the stage, which would be too large a part, counts as the share that the default schedule
gives it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import track

from tst_mm.experiments import markdown_table
from tst_mm.utils.files import write_bytes, write_json

from .clock import SHARES, WARM_UP
from .environment import describe
from .turns import Training, take_turns

ROOT = Path(__file__).resolve().parents[2]
#: The methods in their order.
METHODS = {'mmrazor': "MMRazor's KD", 'kd': 'KD', 'tst': 'TST'}
#: What TST is trained with beside; MMEngine trains in half precision on a GPU only.
OPTIONS = {
    'bfloat16': 'TST, bfloat16',
    'float16': 'TST, float16',
    'channels_last': 'TST, channels last',
    'compile': 'TST, compiled',
    'accumulation': 'TST, gradients of 4 steps',
    'ema': 'TST, EMA of the weights',
}
_TITLES = METHODS | OPTIONS
#: One method's time an image over another's, and what is promised of it, if anything.
BOUNDS: dict[tuple[str, str], float | None] = {
    ('kd', 'mmrazor'): 1.0,
    ('tst', 'kd'): 1.05,
    **{(option, 'tst'): None for option in OPTIONS},
}
#: The part of the counted cost that the default schedule gives to its stages.
_SHARE = 0.02


@dataclass(frozen=True)
class Case:
    """What is trained.

    Attributes:
        title: What the table calls it.
        steps: The number of iterations of a training.
        batch: The number of images of a batch.
        methods: The methods that are compared.
    """

    title: str
    steps: int
    batch: int
    methods: tuple[str, ...] = ('kd', 'tst')


CASES = {
    'small': Case('ResNet-56 to 20, 64 x 32²', 40, 64, tuple(METHODS)),
    'large': Case('ResNet-34 to 18 of half width, 8 x 224²', 30, 8, tuple(METHODS)),
    'retinanet': Case('RetinaNet R-34 to R-18, 2 x 256 x 320', 30, 2),
    'pspnet': Case('PSPNet R-34 to R-18, 2 x 96 x 192', 50, 2),
}


def main(argv: list[str] | None = None) -> int:
    """Train, print the table, write it.

    Args:
        argv: The command line; the process's own by default.

    Returns:
        0, also where a bound is missed: the table says so; 1 where a training failed.
    """
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.cost.run',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--quick', action='store_true', help='one round in place of four')
    parser.add_argument('--only', nargs='+', choices=CASES, default=list(CASES), metavar='CASE')
    parser.add_argument(
        '--options', action='store_true', help='TST with the options of a config, beside TST'
    )
    parser.add_argument('--rounds', type=int, help='of each case (default: 4; quick: 1)')
    parser.add_argument('--workers', type=int, default=1, help='of the loader (default: 1)')
    parser.add_argument('--device', choices=('cpu', 'cuda'), default='cpu')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/cost_run'))
    parser.add_argument(
        '--out', type=Path, help='JSON; the table goes beside it (default: in the work folder)'
    )
    args = parser.parse_args(argv)
    rounds = args.rounds or (1 if args.quick else 4)
    if rounds < 1 or args.workers < 0:
        parser.error('--rounds: allowed: 1 or more; --workers: 0 or more')
    if args.device == 'cuda' and not torch.cuda.is_available():
        parser.error('--device cuda: this machine has no CUDA device')
    work_dir = args.work_dir.resolve()  # trainings run in folders of their own
    out = args.out or work_dir / ('options.json' if args.options else 'run.json')
    options = [name for name in OPTIONS if args.device == 'cuda' or not name.endswith('float16')]
    out.parent.mkdir(parents=True, exist_ok=True)
    where = {**describe(torch.device(args.device)), 'workers': args.workers, 'quick': args.quick}
    found = json.loads(out.read_text()) if out.is_file() else {}
    runs = found['runs'] if found.get('environment') == where and not where['modified'] else []
    done = {(run['case'], run['round'], run['method']) for run in runs}
    missing = []
    for name in args.only:
        methods = ['tst', *options] if args.options else CASES[name].methods
        for turn in range(rounds):
            left = [method for method in methods if (name, turn, method) not in done]
            # A GPU is as fast in one minute as in another, and would have to be waited for.
            groups = [[method] for method in left] if args.device == 'cuda' else [left]
            missing += [(name, turn, group) for group in groups if group]
    for name, turn, methods in track(missing, 'training', disable=not sys.stderr.isatty()):
        words = ', '.join(_TITLES[method] for method in methods)
        print(f'{name}, round {turn + 1} of {rounds}: {words}', file=sys.stderr)
        folder = work_dir / f'{name}_{turn}_{time.time_ns()}'
        try:
            clocks = train(name, methods, CASES[name].steps, folder, args.workers, args.device)
        except subprocess.CalledProcessError as error:
            print(f'{name}: {error}\n{error.stderr[-2000:]}', file=sys.stderr)
            return 1
        for method, clock in clocks.items():
            runs.append({'case': name, 'round': turn, 'method': method, **clock})
        result = {'environment': where, 'runs': runs}
        write_json(out, result)
        write_bytes(out.with_suffix('.md'), (format_runs(result) + '\n').encode())
    print(f'{format_runs({"environment": where, "runs": runs})}\n\n{out}, {out.with_suffix(".md")}')
    return 0


def train(
    name: str, methods: Sequence[str], steps: int, folder: Path, workers: int, device: str
) -> dict[str, dict[str, Any]]:
    """One training a method, each in a process of its own, an iteration of each at a time.

    Args:
        name: The case.
        methods: The methods, or options with which TST trains.
        steps: The number of iterations of each.
        folder: The folder of the runs; the data is beside it.
        workers: The number of workers of each loader.
        device: Where to train.

    Returns:
        For each method what the clock wrote, times and memory; the seconds for which the process
        had its turn, from its start to its end; and the part of the counted cost that its stage
        took.

    Raises:
        subprocess.CalledProcessError: A training failed.
    """
    from .run_config import write_config

    shares, trainings = {}, {}
    for method in methods:
        place = folder / method
        place.mkdir(parents=True)
        path = place / 'config.py'
        shares[method] = write_config(
            path,
            folder.parent / 'data' / name,
            name,
            method,
            CASES[name].batch,
            steps,
            workers,
            device,
        )
        script = [str(ROOT / 'tools' / 'train.py')]
        if method == 'mmrazor':
            script = ['-m', 'benchmarks.cost.plain_run']
        command = [sys.executable, *script, path, '--work-dir', place / 'work']
        trainings[method] = Training(command, place, _environment(device))
    take_turns(list(trainings.values()))
    return {
        method: {
            **json.loads((folder / method / 'work' / 'clock.json').read_text()),
            'process': training.seconds,
            'stage_share': shares[method],
        }
        for method, training in trainings.items()
    }


def _environment(device: str) -> dict[str, str]:
    hidden = {} if device == 'cuda' else {'CUDA_VISIBLE_DEVICES': ''}
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    return {**os.environ, **hidden, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': path}


def seconds(iteration: Mapping[str, float]) -> float:
    """What an iteration took, less what happens once in a run: stages and checkpoints."""
    return iteration['loader'] + iteration['step'] + iteration['hooks']


def an_iteration(run: Mapping[str, Any]) -> float:
    """Seconds of an iteration with its part of the default schedule's stages.

    Loader, step and hooks count by their medians: single disturbances do not matter.
    """
    return alone(run) + stages_of(run)


def alone(run: Mapping[str, Any]) -> float:
    """Seconds of an iteration without stages."""
    return sum(
        statistics.median(iteration[part] for iteration in run['iterations'])
        for part in ('loader', 'step', 'hooks')
    )


def stages_of(run: Mapping[str, Any]) -> float:
    """Seconds that the default schedule's stages take for an iteration."""
    if not run['stage_share']:
        return 0.0
    # The share is one of all iterations, also of those before the clock counts.
    steps = len(run['iterations']) + WARM_UP
    return run['seconds']['stages'] / steps * _SHARE / run['stage_share']


def format_runs(result: Mapping[str, Any]) -> str:
    """The table of the runs, a row for each case and method."""
    where = result['environment']
    changed = ' with changes' if where['modified'] else ''
    head = (
        f'commit {where["commit"]}{changed}, {where["device"]}, 1 thread, {where["workers"]} '
        f'loader workers'
    )
    rows = []
    for name, case in CASES.items():
        for method in _TITLES:
            runs = [r for r in result['runs'] if (r['case'], r['method']) == (name, method)]
            if runs:
                rows.append(
                    (case.title, _TITLES[method], *_row(case, runs), *_over(result, name, method))
                )
    columns = (
        '',
        '',
        'images a second',
        *SHARES,
        'start-up, s',
        'memory, MB',
        'time an image',
        'middle half',
        'rounds',
    )
    return f'{head}\n\n{markdown_table(columns, rows)}'


def _row(case: Case, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    rate = statistics.median(case.batch / an_iteration(run) for run in runs)
    total = sum(sum(run['seconds'].values()) for run in runs)
    shares = [sum(run['seconds'][name] for run in runs) / total for name in SHARES]
    start = statistics.median(run['process'] - sum(run['seconds'].values()) for run in runs)
    # Kept tables may be older than this count.
    peaks = [run['peak'] for run in runs if 'peak' in run]
    peak = f'{statistics.median(peaks) / 2**20:.0f}' if peaks else ''
    return [f'{rate:.1f}', *(f'{100 * share:.1f} %' for share in shares), f'{start:.0f}', peak]


def _over(result: Mapping[str, Any], name: str, method: str) -> list[str]:
    """The ratio to the method that this one has to keep up with, its quartiles, the verdict."""
    for (ours, other), bound in BOUNDS.items():
        if ours == method:
            ratios = paired(result, name, ours, other)
            if ratios:
                low, value, high = statistics.quantiles(sum(ratios, []))
                words = f'{value:.3f} of {METHODS[other]}'
                if bound:
                    verdict = 'met' if value <= bound else 'MISSED'
                    words += f', {verdict} (at most {bound:.2f})'
                return [words, f'{low:.3f} to {high:.3f}', f'{len(ratios)}']
    return ['', '', '']


def paired(result: Mapping[str, Any], name: str, ours: str, other: str) -> list[list[float]]:
    """Ratios of the times of iterations that followed each other, for each round."""
    runs = {(run['round'], run['method']): run for run in result['runs'] if run['case'] == name}
    rounds = [turn for turn, method in runs if method == ours and (turn, other) in runs]
    return [_ratios(runs[turn, ours], runs[turn, other]) for turn in sorted(rounds)]


def _ratios(ours: Mapping[str, Any], other: Mapping[str, Any]) -> list[float]:
    stages = [stages_of(run) / alone(run) for run in (ours, other)]
    pairs = zip(ours['iterations'], other['iterations'], strict=True)
    return [seconds(one) * (1 + stages[0]) / (seconds(two) * (1 + stages[1])) for one, two in pairs]


if __name__ == '__main__':
    sys.exit(main())
