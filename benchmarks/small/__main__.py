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
is on file is not repeated. With ``--jobs`` several train at once; a GPU has room for a dozen, and
gives other numbers than a CPU, so a file of runs is of one device.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import torch

from tst_mm.utils import closest

from .comparison import headline
from .matrix import METHODS, TASKS
from .report import PATH, read_runs, tables
from .runs import expected_time, train

#: What a reader can try in a few minutes.
QUICK = {
    'tasks': ['fashion_300', 'land_cover', 'digits'],
    'methods': ['kd', 'randaugment-9', 'tst'],
}


def main(argv: list[str] | None = None) -> None:
    """Train what is missing, or print the tables."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.small',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    run = commands.add_parser('run', help='train what is not on file')
    usual = [name for name, task in TASKS.items() if not task.depths]
    run.add_argument(
        '--tasks',
        nargs='+',
        default=usual,
        help=f'of {", ".join(TASKS)} (default: those that are not for a GPU)',
    )
    run.add_argument('--methods', nargs='+', default=['kd', 'tst'], help=f'of {", ".join(METHODS)}')
    run.add_argument('--seeds', default='0-4', help='one, or first-last (default: 0-4)')
    run.add_argument('--data', type=Path, default=Path('data'), help='(default: data)')
    run.add_argument('--work-dir', type=Path, default=Path('work_dirs/small'))
    run.add_argument('--device', choices=('cpu', 'cuda'), default='cpu', help='(default: cpu)')
    run.add_argument('--jobs', type=int, default=1, help='trainings at once (default: 1)')
    run.add_argument(
        '--quick',
        action='store_true',
        help=f'one seed of {", ".join(QUICK["tasks"])}: {", ".join(QUICK["methods"])}',
    )
    for command in (run, commands.add_parser('table', help='of all runs')):
        command.add_argument('--out', type=Path, default=PATH, help='the file of the runs')
    args = parser.parse_args(argv)
    if args.command == 'table':
        runs = read_runs(args.out)
        print(headline(runs), tables(runs), sep='\n\n')
        return
    if args.quick:
        args.tasks, args.methods, args.seeds = QUICK['tasks'], QUICK['methods'], '0'
    for given, known in ((args.tasks, TASKS), (args.methods, METHODS)):
        for name in given:
            if name not in known:
                parser.error(f'{name!r} is unknown; {closest(name, known)}')
    first, _, last = args.seeds.partition('-')
    if not first.isdigit() or not (last or first).isdigit():
        parser.error(f'--seeds is {args.seeds!r}; allowed: a number, or two as in 0-4')
    if args.device == 'cuda' and not torch.cuda.is_available():
        parser.error('--device cuda: this machine has no CUDA device')
    if args.jobs < 1:
        parser.error(f'--jobs is {args.jobs}; allowed: 1 or more')
    for task in args.tasks:
        if not (args.data / TASKS[task].data).is_dir():
            parser.error(f'{args.data / TASKS[task].data} is missing; tools/data makes it')
    runs = read_runs(args.out)
    there = {(line['seed'], line['task'], line['method']) for line in runs}
    seeds = range(int(first), int(last or first) + 1)
    missing = [cell for cell in product(seeds, args.tasks, args.methods) if cell not in there]
    print(f'{len(missing)} runs{expected_time(missing, runs, args.device, args.jobs)}', flush=True)
    train(missing, args.out, args.data, args.work_dir, args.device, args.jobs)


if __name__ == '__main__':
    main()
