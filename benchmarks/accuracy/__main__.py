"""Measure what TST is worth: train the matrix, write the page of results.

    python -m benchmarks.accuracy run                       # what is missing of the whole matrix
    python -m benchmarks.accuracy run --task cifar10_1000 --method kd random tst --seeds 5
    python -m benchmarks.accuracy report                    # docs/results.md and its pictures
    python -m benchmarks.accuracy repeat tst --task cifar10_1000    # the same number twice?

A run that is in the file of results is not repeated; a killed one is started again by the same
command. The data: from ``tools/data``, ``fashion_mnist.py``, ``composed_scenes.py`` in both formats
and ``land_cover.py``; and CIFAR-10 as ``data/cifar10/{train,test}/<class>/*``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from benchmarks.small.report import PATH, read_runs
from tst_mm.experiments import RunError
from tst_mm.utils.cli import one_line_errors

from . import results
from .cells import ROOT
from .matrix import METHODS, STUDENTS, TASKS


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The command line; the process's own by default.

    Returns:
        0; 1 after a failed training or when a repeated run differs.
    """
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.accuracy',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    run = commands.add_parser('run', help='train what is missing')
    run.add_argument('--task', nargs='+', choices=TASKS, default=list(TASKS), metavar='TASK')
    run.add_argument(
        '--method',
        nargs='+',
        choices=METHODS,
        default=list(STUDENTS),
        metavar='METHOD',
        help='default: all but ablations',
    )
    run.add_argument('--seeds', type=int, nargs='+', default=[5], help='a number, or a list')
    run.add_argument('--split', choices=('test', 'val'), default='test')
    run.add_argument('--jobs', type=int, default=len(os.sched_getaffinity(0)), help='at a time')
    repeat = commands.add_parser('repeat', help='train one cell again and compare')
    repeat.add_argument('method', choices=METHODS)
    repeat.add_argument('--task', choices=TASKS, required=True)
    repeat.add_argument('--seed', type=int, default=0)
    for command in (run, repeat):
        command.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs' / 'accuracy')
    report = commands.add_parser('report', help='write docs/results.md and its pictures')
    report.add_argument('--small', type=Path, default=PATH, help='runs of benchmarks.small')
    report.add_argument('--out', type=Path, default=ROOT / 'docs')
    for command in (run, repeat, report):
        command.add_argument('--results', type=Path, default=results.PATH)
    args = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # trainings end with this process
    with one_line_errors():
        try:
            return _COMMANDS[args.command](args)
        except RunError as error:  # with the end of its log, which takes several lines
            print(f'\n{error}', file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print('\ninterrupted; the same command continues', file=sys.stderr)
            return 130


def _run(args: argparse.Namespace) -> int:
    from .runs import train_cells

    seeds = range(args.seeds[0]) if len(args.seeds) == 1 else args.seeds
    train_cells(
        [(task, method, seed) for seed in seeds for task in args.task for method in args.method],
        args.split,
        args.work_dir.resolve(),
        args.results,
        args.jobs,
    )
    return 0


def _repeat(args: argparse.Namespace) -> int:
    from .runs import repeat

    before, after = repeat(args.task, args.method, args.seed, args.work_dir.resolve(), args.results)
    print(f'{before!r} in {args.results.name}, {after!r} now')
    return int(before != after)


def _report(args: argparse.Namespace) -> int:
    from .report import write_report

    small_runs = read_runs(args.small)
    before = results.read(results.BEFORE)
    for path in write_report(results.read(args.results), args.out, before, small_runs):
        print(path)
    return 0


_COMMANDS = {'run': _run, 'repeat': _repeat, 'report': _report}

if __name__ == '__main__':
    sys.exit(main())
