r"""Make the part of Fashion-MNIST that comes with the package (for maintainers).

Takes the same number of images of every class by a fixed seed and writes the four files of the
original in the original's format, with their checksums. The order is random and balanced, so
that every beginning of it is a balanced few-shot set.

    apt-get download dataset-fashion-mnist && dpkg-deb -x dataset-fashion-mnist_*.deb unpacked
    python tools/data/embed_fashion_mnist.py \
        --source unpacked/usr/share/datasets/fashion-mnist --out /somewhere/new
"""

import argparse
import gzip
import hashlib
from pathlib import Path

import numpy as np

from preparation.command import make_parser, run
from preparation.errors import PreparationError
from tst_mm.datasets.balance import balanced_order
from tst_mm.datasets.embedded_fashion_mnist import PREFIXES
from tst_mm.datasets.idx import read_idx, write_idx

SIZES = {'train': 6000, 'test': 2000}
SEED = 2023


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = make_parser(
        __doc__, out=None, source='folder with the four original *-ubyte.gz files, required'
    )
    run(parser, build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Write both splits and ``sha256sums.txt``, which is of the unpacked files."""
    if not args.source:
        raise PreparationError('--source is required')
    sums = []
    for split, size in SIZES.items():
        start = Path(args.source) / PREFIXES[split]
        try:
            images = read_idx(f'{start}-images-idx3-ubyte.gz')
            labels = read_idx(f'{start}-labels-idx1-ubyte.gz')
        except (OSError, ValueError) as error:
            raise PreparationError(str(error)) from error
        chosen = balanced_order(labels, SEED)[:size]
        for name, array in (('images-idx3', images[chosen]), ('labels-idx1', labels[chosen])):
            path = folder / f'{PREFIXES[split]}-{name}-ubyte.gz'
            write_idx(path, np.ascontiguousarray(array))
            content = gzip.decompress(path.read_bytes())
            sums.append(f'{hashlib.sha256(content).hexdigest()}  {path.stem}')
    (folder / 'sha256sums.txt').write_text('\n'.join(sums) + '\n')
    return dict(images=SIZES, bytes=sum(path.stat().st_size for path in folder.iterdir()))


if __name__ == '__main__':
    main()
