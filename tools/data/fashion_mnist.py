"""Prepare Fashion-MNIST as mmpretrain's own ``FashionMNIST`` dataset reads it.

The part that comes with tst_mm (6,000 + 2,000 images) needs no preparation: its dataset is
``tst_mm.EmbeddedFashionMNIST``. With ``--source embedded`` this script unpacks it for plain
mmpretrain. Without ``--source`` it takes the full set (60,000 + 10,000) from the installed Debian
package ``dataset-fashion-mnist``, or else downloads it (30 MB).

    python tools/data/fashion_mnist.py
    python tools/data/fashion_mnist.py --source embedded --out data/fashion_mnist_embedded
    python tools/data/fashion_mnist.py --source ~/downloads/fashion
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from preparation.command import make_parser, run
from preparation.errors import PreparationError
from preparation.fetch import download
from tst_mm.datasets.embedded_fashion_mnist import EMBEDDED_ROOT, PREFIXES
from tst_mm.datasets.idx import read_idx, write_idx

DEBIAN = Path('/usr/share/datasets/fashion-mnist')
BY_HAND = (
    'Or get the files yourself (apt-get download dataset-fashion-mnist && dpkg-deb -x '
    'dataset-fashion-mnist_*.deb unpacked) and give their folder as --source; '
    '--source embedded works without any of them.'
)


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = make_parser(
        __doc__,
        out='data/fashion_mnist',
        source="'embedded', or a folder with the four *-ubyte files, plain or .gz; "
        'default: the installed Debian package, else a download',
    )
    run(parser, build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Write the four files, unpacked."""
    with TemporaryDirectory() as downloads:
        source = args.source
        if source is None and not DEBIAN.is_dir():
            _download_all(Path(downloads))
            source = downloads
        elif source == 'embedded':
            source = EMBEDDED_ROOT
        return _unpack(Path(source or DEBIAN).expanduser(), folder)


def _download_all(folder: Path) -> None:
    """Fetch the four files; addresses and checksums are those of mmpretrain."""
    from mmpretrain.datasets import FashionMNIST  # slow, and needed for a download only

    for name, md5 in FashionMNIST.train_list + FashionMNIST.test_list:
        try:
            download(FashionMNIST.url_prefix + name, folder / name, md5)
        except PreparationError as error:
            raise PreparationError(f'{error}. {BY_HAND}') from error


def _unpack(source: Path, folder: Path) -> dict:
    """Check and write both splits; returns how many images each has."""
    summary = {}
    for split, prefix in PREFIXES.items():
        images = _read(source, f'{prefix}-images-idx3-ubyte')
        labels = _read(source, f'{prefix}-labels-idx1-ubyte')
        if images.shape != (len(labels), 28, 28):
            raise PreparationError(
                f'{source}: images of shape {images.shape} and {len(labels)} labels in {split!r}'
            )
        write_idx(folder / f'{prefix}-images-idx3-ubyte', images)
        write_idx(folder / f'{prefix}-labels-idx1-ubyte', labels)
        summary[split] = len(labels)
    return summary


def _read(source: Path, name: str):
    """One of the four arrays, from the plain file or the compressed one."""
    found = [path for path in (source / name, source / f'{name}.gz') if path.is_file()]
    if not found:
        raise PreparationError(f'neither {name} nor {name}.gz in {source}. {BY_HAND}')
    try:
        return read_idx(found[0])
    except (OSError, EOFError, ValueError) as error:
        raise PreparationError(f'{found[0]} cannot be read: {error}') from error


if __name__ == '__main__':
    main()
