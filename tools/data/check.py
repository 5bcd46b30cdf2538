"""Check a data set in the format of COCO or Cityscapes: what is there, what is missing or wrong.

    python tools/data/check.py --coco data/coco
    python tools/data/check.py --cityscapes data/cityscapes

Exits with 1 when something needed is missing or wrong.
"""

import argparse
import sys
from pathlib import Path

from tst_mm.datasets.checks import check_cityscapes, check_coco


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument(
        '--coco', metavar='DIR', help='annotations/instances_<split>.json and <split>/'
    )
    kind.add_argument('--cityscapes', metavar='DIR', help='leftImg8bit/<split> and gtFine/<split>')
    parser.add_argument(
        '--num-classes', type=int, help='of label maps in the Cityscapes layout, default 19'
    )
    args = parser.parse_args(argv)
    if args.num_classes and not args.cityscapes:
        parser.error('--num-classes belongs to --cityscapes')
    root = args.coco or args.cityscapes
    if not Path(root).is_dir():
        sys.exit(f'error: {root} is not a folder')
    findings = check_coco(root) if args.coco else check_cityscapes(root, args.num_classes or 19)
    print(findings)
    if findings.faults:
        sys.exit(1)
    print('complete')


if __name__ == '__main__':
    main()
