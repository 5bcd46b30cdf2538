"""Prepare CIFAR-10 or CIFAR-100 as mmpretrain's own datasets read them.

Without ``--source`` the archive is downloaded (170 MB). Every file is checked against the
checksums that mmpretrain knows.

    python tools/data/cifar.py --num-classes 100
    python tools/data/cifar.py --num-classes 10 --source ~/downloads/cifar-10-python.tar.gz

CIFAR as a folder of pictures is prepared by ``image_folder.py``.
"""

import argparse
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from preparation.command import make_parser, run
from preparation.errors import PreparationError
from preparation.fetch import check_md5, download, unpacked


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = make_parser(
        __doc__,
        out='data/cifar{num_classes}',
        source='the published cifar-*-python.tar.gz, or a folder with its content; '
        'default: a download',
    )
    parser.add_argument('--num-classes', type=int, choices=(10, 100), default=10)
    run(parser, build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Copy the files of the published archive and check them."""
    from mmpretrain.datasets import CIFAR10, CIFAR100  # slow: not for --help

    dataset = {10: CIFAR10, 100: CIFAR100}[args.num_classes]
    with ExitStack() as stack:
        source = args.source
        if source is None:
            source = Path(stack.enter_context(TemporaryDirectory())) / dataset.filename
            _download(dataset, source)
        content = stack.enter_context(unpacked(source))
        files = [*dataset.train_list, *dataset.test_list]
        files.append([dataset.meta['filename'], dataset.meta['md5']])
        place = content / dataset.base_folder
        place = place if place.is_dir() else content
        (folder / dataset.base_folder).mkdir()
        for name, md5 in files:
            if not (place / name).is_file():
                raise PreparationError(f'{source} lacks {dataset.base_folder}/{name}')
            check_md5(place / name, md5)
            shutil.copyfile(place / name, folder / dataset.base_folder / name)
    return dict(files=len(files), classes=args.num_classes)


def _download(dataset: type, path: Path) -> None:
    """Fetch the archive from the address that mmpretrain knows."""
    try:
        download(dataset.url, path, dataset.tgz_md5)
    except PreparationError as error:
        raise PreparationError(
            f'{error}. Get {dataset.filename} elsewhere and give its path as --source'
        ) from error


if __name__ == '__main__':
    main()
