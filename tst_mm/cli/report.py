"""Show what a TST run has learned, or compare several: one page, and its figures as PNG.

Examples:
  tst report work_dirs/tst
  tst report work_dirs/tst_seed0 work_dirs/tst_seed1 --out seeds.html
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('work_dirs', nargs='+', help='work folders of TST runs')
    parser.add_argument(
        '--out',
        help='page, ending in .html; default: report.html in the work folder, of several runs in '
        'the folder that holds them all',
    )


def run(args: Namespace) -> None:
    """Write the page and print where it is.

    Raises:
        ValueError: ``--out`` is no name of a page.
    """
    from tst_mm.visualization.report import default_path, write_report
    from tst_mm.visualization.run_record import load_runs

    out = Path(args.out) if args.out else default_path(args.work_dirs)
    if out.suffix.lower() not in ('.html', '.htm'):
        raise ValueError(f'--out is {args.out!r}; allowed: a name that ends in .html')
    page, *figures = write_report(out, load_runs(args.work_dirs))
    for figure in figures:
        print(f'figure: {figure}')
    print(f'report: {page}')
