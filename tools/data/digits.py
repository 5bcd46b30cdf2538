"""Prepare handwritten digits, on which a turn or a mirror destroys the label.

1,797 digits of 8 x 8 pixels by 13 people (the test set of UCI's "Optical Recognition of
Handwritten Digits") come inside the Python package ``scikit-learn`` (BSD licence). The package is
downloaded (9 MB) and unpacked, not installed. Digits are enlarged to 16 x 16 pixels; the first
half trains, the second tests, as writers follow one another.

    python tools/data/digits.py                 -> data/digits

writes ``{train,test}/<digit>/*.png``, a folder of images by class.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from preparation.command import make_parser, run
from preparation.fetch import package_files

PACKAGE = 'scikit-learn==1.9.1'
FILE = 'sklearn/datasets/data/digits.csv.gz'
SIDE = 16
HIGHEST = 16  # the grey value of a stroke


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    source = f'wheel of {PACKAGE}, or its folder; default: pip'
    run(make_parser(__doc__, out='data/digits', source=source), build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Write both splits."""
    with package_files(PACKAGE, [FILE], args.source) as content:
        table = np.loadtxt(content / FILE, delimiter=',', dtype=np.int64)
    summary = dict(train=0, test=0)
    for index, (*pixels, label) in enumerate(table.tolist()):
        split = 'train' if index < len(table) // 2 else 'test'
        image = np.reshape(pixels, (8, 8)) * 255 // HIGHEST
        image = cv2.resize(image.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        place = folder / split / str(label)
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f'{index:04d}.png'), image)
        summary[split] += 1
    return summary


if __name__ == '__main__':
    main()
