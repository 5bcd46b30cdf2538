"""What an image costs: augmenter, steps, labels, memory, beside peers and beside the floor.

    python -m benchmarks.cost                          # everything, about a quarter of an hour
    python -m benchmarks.cost --only steps counts      # parts
    python -m benchmarks.cost --device cuda --out cost.json
    python -m benchmarks.cost --compare benchmarks/cost_cpu.json

Variants take turns in one process, so ratios hold on a busy machine; times do not. What is
measured is written part by part, and a run that was interrupted is continued: parts that the same
code measured in the same place are kept. ``--compare`` says what differs from an older run by more
than noise. Needs jsonschema, and kornia for the part ``augmenter``:
``pip install --no-deps -r requirements/benchmarks.txt``.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import torch

from tst_mm.utils.files import write_bytes, write_json

from .table import VERSION, format_changes, format_report

#: Cases of each part.
PARTS = {
    'counts': 1,
    'host': 5,
    'augmenter': 4,
    'steps': 5,
    'labels': 1,
    'training': 1,
    'growth': 4,
}
SCHEMA = Path(__file__).with_name('schema.json')


def main(argv: list[str] | None = None) -> int:
    """Measure, print, write.

    Args:
        argv: The command line; the process's own by default.

    Returns:
        0, also when targets are missed: the table says which.
    """
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.cost',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--device', default='cpu', help="'cpu' (default), 'cuda', 'cuda:1', ...")
    parser.add_argument('--only', nargs='+', choices=PARTS, default=list(PARTS), metavar='PART')
    parser.add_argument('--rounds', type=int, default=15, help='of every case (default: 15)')
    parser.add_argument(
        '--precision',
        choices=('bfloat16', 'float16'),
        help='of the steps: mixed precision (default: full)',
    )
    parser.add_argument('--threads', type=int, default=1, help='of the CPU (default: 1)')
    parser.add_argument(
        '--out',
        type=Path,
        help='JSON; the table goes beside it (default: work_dirs/cost_DEVICE.json)',
    )
    parser.add_argument('--fresh', action='store_true', help='measure anew what is on file')
    parser.add_argument('--compare', type=Path, metavar='OLD.json', help='an older result')
    args = parser.parse_args(argv)
    if args.compare and not args.compare.is_file():
        parser.error(f'--compare {args.compare}: there is no such file')
    if args.rounds < 1 or args.threads < 1:
        parser.error('--rounds and --threads: allowed: 1 or more')
    device = torch.device(args.device)
    for package in ('jsonschema', *(['kornia'] if 'augmenter' in args.only else [])):
        if not find_spec(package):
            parser.error(
                f'{package} is not installed: pip install --no-deps -r requirements/benchmarks.txt'
            )
    if device.type == 'cuda' and not torch.cuda.is_available():
        parser.error(f'--device {args.device}: this machine has no CUDA device')
    warnings.filterwarnings('ignore')
    torch.set_num_threads(args.threads)
    out = args.out or Path('work_dirs') / f'cost_{device.type}.json'
    out.parent.mkdir(parents=True, exist_ok=True)
    result: dict = {}
    kept = {} if args.fresh else read_kept(out, device, args.rounds, args.precision)
    for result in measure(device, args.only, args.rounds, kept, args.precision):
        check(result)
        write_json(out, result)
        write_bytes(out.with_suffix('.md'), (format_report(result) + '\n').encode())
    print(f'{format_report(result)}\n\n{out}, {out.with_suffix(".md")}')
    if args.compare:
        print(f'\n{format_changes(json.loads(args.compare.read_text()), result)}')
    return 0


def read_kept(path: Path, device: torch.device, rounds: int, precision: str | None = None) -> dict:
    """The parts of an earlier run that need not be measured again.

    Args:
        path: The file of that run; it need not exist.
        device: The device to measure on.
        rounds: The number of rounds.
        precision: Of the steps; None (default) for full precision.

    Returns:
        Parts by name; none where the code has changes that are not committed, or where commit,
        machine, versions, threads or rounds are others.
    """
    from .environment import describe

    if not path.is_file():
        return {}
    found, where = json.loads(path.read_text()), describe(device, precision)
    here = {'version': VERSION, 'environment': where, 'rounds': rounds}
    if where['modified'] or any(found.get(key) != value for key, value in here.items()):
        return {}
    print(f'{path}: kept {", ".join(found["measured"])}', file=sys.stderr)
    return found['measured']


def measure(
    device: torch.device, parts: list[str], rounds: int, kept: dict, precision: str | None = None
) -> Iterator[dict]:
    """Results that grow by a part each, in the order of ``PARTS``.

    Args:
        device: The device to measure on.
        parts: The parts to measure.
        rounds: The number of rounds.
        kept: Parts that were measured before, by name; they are in every result.
        precision: Of the steps; None (default) for full precision.
    """
    from .environment import describe
    from .measure import Measurement
    from .progress import Progress
    from .targets import judge

    missing = [part for part in PARTS if part in parts and part not in kept]
    progress = Progress(sum(PARTS[part] for part in missing))
    measurement = Measurement(device, rounds, progress, precision)
    measured = dict(kept)
    for part in [*missing, None]:  # once more at the end, also where nothing was missing
        if part is not None:
            measured[part] = getattr(measurement, part)()
        yield {
            'version': VERSION,
            'environment': describe(device, precision),
            'rounds': rounds,
            'measured': {part: measured[part] for part in PARTS if part in measured},
            'targets': [target.to_dict() for target in judge(measured)],
        }
    measurement.progress.end()


def check(result: dict) -> None:
    """Validate a result.

    Raises:
        jsonschema.ValidationError: It does not follow schema.json.
    """
    import jsonschema

    jsonschema.validate(result, json.loads(SCHEMA.read_text()))


if __name__ == '__main__':
    logging.disable(logging.INFO)  # how networks are initialised, line by line
    sys.exit(main())
