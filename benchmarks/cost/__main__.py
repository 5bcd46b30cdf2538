"""What an image costs: augmenter, steps, labels, memory, beside peers and beside the floor.

    python -m benchmarks.cost                          # everything, about a quarter of an hour
    python -m benchmarks.cost --only steps counts      # parts
    python -m benchmarks.cost --device cuda --out cost.json

Variants take turns in one process, so ratios hold on a busy machine; times do not. What is
measured is written part by part. Needs jsonschema, and kornia for the part ``augmenter``:
``pip install --no-deps -r requirements/benchmarks.txt``.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import torch

from tst_mm.utils.files import write_bytes, write_json

from .table import VERSION, format_report

#: Cases of each part.
PARTS = {'counts': 1, 'augmenter': 4, 'steps': 5, 'labels': 1, 'training': 1, 'growth': 4}
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
    parser.add_argument('--threads', type=int, default=1, help='of the CPU (default: 1)')
    parser.add_argument(
        '--out',
        type=Path,
        help='JSON; the table goes beside it (default: work_dirs/cost_DEVICE.json)',
    )
    args = parser.parse_args(argv)
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
    for result in measure(device, args.only, args.rounds):
        check(result)
        write_json(out, result)
        write_bytes(out.with_suffix('.md'), (format_report(result) + '\n').encode())
    print(f'{format_report(result)}\n\n{out}, {out.with_suffix(".md")}')
    return 0


def measure(device: torch.device, parts: list[str], rounds: int) -> Iterator[dict]:
    """Results that grow by a part each, in the order of ``PARTS``."""
    from .environment import describe
    from .measure import Measurement
    from .progress import Progress
    from .targets import judge

    measurement = Measurement(device, rounds, Progress(sum(PARTS[part] for part in parts)))
    measured: dict = {}
    for part in PARTS:
        if part in parts:
            measured[part] = getattr(measurement, part)()
            yield {
                'version': VERSION,
                'environment': describe(device),
                'rounds': rounds,
                'measured': measured,
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
    sys.exit(main())
