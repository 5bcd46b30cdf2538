"""What to augment, how much, and whether to search: trainings of a minute or two in memory.

    python -m benchmarks.small run --tasks cifar_1k --methods kd tst --seeds 0-4
    python -m benchmarks.small table

The augmenter, the search, the objectives and the amount are the project's own; what is around them
is the least that a training needs, so that a core does dozens of runs in an hour: networks of four
convolutions, images in memory, mirrors and shifts as usual augmentation, KD at temperature 4. All
methods have the same counted cost: stages and looks are paid for with student steps. The folders of
``--data`` are those that tools/data makes: ``cifar10``, ``fashion_mnist``, ``land_cover_patches``,
``digits``. The teacher is trained once a data set, on all of its training images. One half of the
test images chooses defaults (``validation``), the other half reports (``test``); seeds below 100
report, from 100 on they choose. Seeds come first, so that an interrupted matrix is even; a run that
is on file is not repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import product
from pathlib import Path

from rich.progress import track

from tst_mm.utils import closest
from tst_mm.utils.git import git_state

from .matrix import METHODS, TASKS
from .report import PATH, read_runs, table

ROOT = Path(__file__).resolve().parents[2]


def main(argv: list[str] | None = None) -> None:
    """Train what is missing, or print the tables."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.small',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    run = commands.add_parser('run', help='train what is not on file')
    run.add_argument('--tasks', nargs='+', default=list(TASKS), help=f'of {", ".join(TASKS)}')
    run.add_argument('--methods', nargs='+', default=['kd', 'tst'], help=f'of {", ".join(METHODS)}')
    run.add_argument('--seeds', default='0-4', help='one, or first-last (default: 0-4)')
    run.add_argument('--data', type=Path, default=Path('data'), help='(default: data)')
    run.add_argument('--work-dir', type=Path, default=Path('work_dirs/small'))
    for command in (run, commands.add_parser('table', help='of all runs')):
        command.add_argument('--out', type=Path, default=PATH, help='the file of the runs')
    args = parser.parse_args(argv)
    if args.command == 'table':
        print(table(read_runs(args.out)))
        return
    for given, known in ((args.tasks, TASKS), (args.methods, METHODS)):
        for name in given:
            if name not in known:
                parser.error(f'{name!r} is unknown; {closest(name, known)}')
    first, _, last = args.seeds.partition('-')
    if not first.isdigit() or not (last or first).isdigit():
        parser.error(f'--seeds is {args.seeds!r}; allowed: a number, or two as in 0-4')
    cells = list(product(range(int(first), int(last or first) + 1), args.tasks, args.methods))
    for task in args.tasks:
        if not (args.data / TASKS[task].data).is_dir():
            parser.error(f'{args.data / TASKS[task].data} is missing; tools/data makes it')
    from .training import Training  # it takes seconds to import

    for seed, task, method in track(cells, 'training', disable=not sys.stderr.isatty()):
        if any(
            (line['seed'], line['task'], line['method']) == (seed, task, method)
            for line in read_runs(args.out)
        ):
            continue
        data = args.data / TASKS[task].data
        found = Training(TASKS[task], METHODS[method], seed, data, args.work_dir).run()
        line = {'task': task, 'method': method, 'seed': seed, **found, 'commit': git_state(ROOT)}
        with args.out.open('a') as file:
            file.write(json.dumps(line) + '\n')
        print(f'{task}, {method}, seed {seed}: {found["test"]} % in {found["seconds"]} s')


if __name__ == '__main__':
    main()
