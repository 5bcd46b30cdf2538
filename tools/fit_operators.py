"""Stage I of the paper: fit encoders that imitate the operators, and report how well they do.

    python tools/fit_operators.py                       # on coloured scenes of the embedded images
    python tools/fit_operators.py --images DIR          # on any folder of images
    python tools/fit_operators.py --report FILE         # only measure a file of encoders

Into the work folder go fitted.json (the encoders, for
dict(type='FittedColor', imitates='Color', weights='…/fitted.json')), fidelity.json, fidelity.md and
fidelity.png: mean squared error to the true operator over the magnitudes, beside doing nothing and
beside the closed form. Operators that are fitted are not fitted again: an interrupted run is
continued by the same command.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from fit_steps.fidelity import measure, plot, table
from fit_steps.fit import Settings, fit
from fit_steps.images import folder_images, scene_images
from fit_steps.truth import LEARNED
from tst_mm.paper.fitted import encoder_to_dict, encoders_to_dict, read_encoders
from tst_mm.registry import OPERATORS
from tst_mm.utils.cli import one_line_errors
from tst_mm.utils.files import write_bytes, write_json
from tst_mm.visualization.figure import save_figure


def main(argv: list[str] | None = None) -> None:
    """Fit, then report.

    Args:
        argv: The command line; the process's own by default.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', type=Path, help='folder of images (default: embedded)')
    parser.add_argument('--report', type=Path, metavar='FILE', help='measure FILE, fit nothing')
    parser.add_argument('--operators', nargs='+', choices=LEARNED, default=LEARNED, metavar='NAME')
    parser.add_argument('--size', type=int, default=32, help='side of the images (default: 32)')
    parser.add_argument('--count', type=int, default=2000, help='most images (default: 2000)')
    parser.add_argument('--steps', type=int, default=600, help='per operator (default: 600)')
    parser.add_argument('--batch-size', type=int, default=64, help='multiple of 8 (default: 64)')
    parser.add_argument('--lr', type=float, default=1e-2, help='(default: 0.01; published: 0.001)')
    parser.add_argument(
        '--lr-decay', type=float, default=1.0, help='factor a step (default: 1; published: below)'
    )
    parser.add_argument(
        '--terms', type=int, default=1, help='powers of the magnitude (default and published: 1)'
    )
    parser.add_argument('--seed', type=int, default=0, help='(default: 0)')
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path('work_dirs/fit_operators'),
        help='(default: %(default)s)',
    )
    args = parser.parse_args(argv)
    for key, low in (('size', 8), ('count', 20), ('steps', 2), ('batch_size', 8), ('terms', 1)):
        if getattr(args, key) < low:
            parser.error(
                f'--{key.replace("_", "-")} is {getattr(args, key)}; allowed: {low} or more'
            )
    if args.batch_size % 8:
        parser.error(f'--batch-size is {args.batch_size}; allowed: a multiple of 8')
    if not args.lr > 0 or not 0 < args.lr_decay <= 1:
        parser.error('--lr must be above 0, --lr-decay above 0 and at most 1')
    with one_line_errors():
        run(args)


def run(args: argparse.Namespace) -> None:
    """Do what the command line says."""
    args.work_dir.mkdir(parents=True, exist_ok=True)
    weights = args.report or args.work_dir / 'fitted.json'
    if args.report:
        read_encoders(weights)
    print('images: ' + (str(args.images) if args.images else 'coloured scenes'), flush=True)
    if args.images:
        images, held = folder_images(args.images, args.size, args.count, args.seed)
    else:
        images, held = scene_images(args.size, args.count, args.seed)
    if not args.report:
        fit_all(args, images, weights)
    encoders = read_encoders(weights)['encoders']
    limits = {name: encoders[name]['limit'] for name in args.operators if name in encoders}
    report = measure(weights, limits, held)
    write_json(args.work_dir / 'fidelity.json', {'images': len(held), 'operators': report})
    write_bytes(args.work_dir / 'fidelity.md', (table(report) + '\n').encode())
    figure = save_figure(plot(report), args.work_dir / 'fidelity.png')
    print(f'\nmean squared error in squared grey values, {len(held)} held-out images\n')
    print(table(report))
    print(f'\nencoders: {weights}\nfigure: {figure}')


def fit_all(args: argparse.Namespace, images: Tensor, path: Path) -> None:
    """Fit what the file does not have yet; it is complete after every operator.

    Raises:
        ValueError: The file was fitted with other settings.
    """
    keys = ('steps', 'batch_size', 'lr', 'lr_decay', 'terms', 'seed')
    settings = Settings(**{key: getattr(args, key) for key in keys})
    record = {
        'images': str(args.images) if args.images else 'scenes',
        'size': args.size,
        'count': args.count,
        **asdict(settings),
    }
    done: dict[str, Any] = {}
    if path.exists():
        before = read_encoders(path)
        for key, value in record.items():
            if before['settings'].get(key) != value:
                raise ValueError(
                    f'{path} was fitted with {key} {before["settings"].get(key)!r}, this run has '
                    f'{value!r}; allowed: the same, or another --work-dir'
                )
        done = before['encoders']
    left = [name for name in args.operators if name not in done]
    if not left:
        print('fitted before: ' + ', '.join(args.operators))
        return
    columns = (TextColumn('{task.description:12}'), BarColumn(), TextColumn('{task.fields[note]}'))
    start = time.monotonic()
    with Progress(*columns, TimeRemainingColumn()) as progress:
        bar = progress.add_task('', total=len(left) * settings.steps, note='')
        for i, name in enumerate(left):
            progress.update(bar, description=name)

            def report(step: int, loss: float, made: int = i * settings.steps) -> None:
                if step % 10 == 0 or step == settings.steps:
                    root = loss**0.5 * 255
                    progress.update(bar, completed=made + step, note=f'error {root:.1f} levels')

            operator = OPERATORS.get(name)()
            encoder = fit(operator, images, settings, report)
            done[name] = encoder_to_dict(encoder, operator.limit)
            write_json(path, encoders_to_dict(done, record))
            spent = time.monotonic() - start
            left_over = spent / (i + 1) * (len(left) - i - 1)
            progress.console.print(f'{name}: {spent:.0f} s, about {left_over:.0f} s left')


if __name__ == '__main__':
    main()
