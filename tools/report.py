"""Show what a TST run has learned, or compare several: one page, and its figures as PNG.

python tools/report.py work_dirs/tst
python tools/report.py work_dirs/tst_seed0 work_dirs/tst_seed1 --out seeds.html
"""

import argparse
from pathlib import Path

import tst_mm  # noqa: F401  (its mends come before any other library)
from tst_mm.utils.cli import one_line_errors
from tst_mm.visualization.report import default_path, write_report
from tst_mm.visualization.run_record import load_runs


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Show what TST runs have learned, on one page.')
    parser.add_argument('work_dirs', nargs='+', help='work folders of TST runs')
    parser.add_argument(
        '--out',
        help='page, ending in .html; default: report.html in the work folder, of several runs in '
        'the folder that holds them all',
    )
    return parser.parse_args()


def report(args: argparse.Namespace) -> None:
    """Write the page and print where it is."""
    out = Path(args.out) if args.out else default_path(args.work_dirs)
    if out.suffix.lower() not in ('.html', '.htm'):
        raise ValueError(f'--out is {args.out!r}; allowed: a name that ends in .html')
    page, *figures = write_report(out, load_runs(args.work_dirs))
    for figure in figures:
        print(f'figure: {figure}')
    print(f'report: {page}')


if __name__ == '__main__':
    arguments = parse_args()
    with one_line_errors():
        report(arguments)
