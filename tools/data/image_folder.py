"""Prepare a folder of pictures, one sub-folder a class, for mmpretrain's ``CustomDataset``.

``--source`` is a folder or an archive in the manner of ImageNet: ``train/<class>/*`` and
``val/<class>/*`` (or ``test/…``), or only ``<class>/*``, of which a part is then held out. A flat
``val`` with ``meta/val.txt`` (``name.JPEG 65`` a line) is read too. A folder is linked, not copied.

    python tools/data/image_folder.py --source ~/imagenet --out data/imagenet_lists

writes ``images`` (link or unpacked archive) and ``meta/{train,val,classes}.txt``. The lists stand
in an order whose every beginning is balanced over the classes, so a few-shot set is a beginning:

    dict(type='mmpretrain.CustomDataset', data_root='data/imagenet_lists', data_prefix='images',
         ann_file='meta/train.txt', classes='data/imagenet_lists/meta/classes.txt', indices=10000)
"""

import argparse
from pathlib import Path

import numpy as np
from rich.progress import track

from preparation.command import make_parser, run
from preparation.errors import PreparationError
from preparation.fetch import unpacked
from tst_mm.datasets.balance import balanced_order

SUFFIXES = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif')
HELD_OUT_NAMES = ('val', 'valid', 'validation', 'test')
Sample = tuple[str, int]  # path below the images folder, class index


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = make_parser(__doc__, out=None, source='folder or tar/zip archive, required')
    parser.add_argument('--seed', type=int, default=0, help='of the order, default 0')
    parser.add_argument(
        '--val-fraction',
        type=float,
        default=0.2,
        help='part of each class held out when the source is not split, default 0.2',
    )
    run(parser, build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Link or unpack the images and write the lists."""
    if not args.source:
        raise PreparationError('--source is required')
    if not 0 < args.val_fraction < 1:
        raise PreparationError(f'--val-fraction {args.val_fraction} is not between 0 and 1')
    images = folder / 'images'
    with unpacked(args.source, near=folder) as root:
        root = _descend(root)
        if Path(args.source).expanduser().is_dir():
            images.symlink_to(root.resolve())
        else:
            root.rename(images)
            images.chmod(0o755)  # temporary folders are private
    train = images / 'train' if (images / 'train').is_dir() else images
    classes = sorted(path.name for path in _visible(train) if path.is_dir())
    samples = _walk(images, train, classes)
    if train == images:
        splits = _hold_out(samples, args.val_fraction, args.seed)
    else:
        splits = dict(train=samples, val=_find_val(images, classes))
    (folder / 'meta').mkdir()
    (folder / 'meta/classes.txt').write_text('\n'.join(classes) + '\n')
    for split, found in splits.items():
        order = balanced_order([label for _, label in found], args.seed)
        lines = [f'{found[i][0]} {found[i][1]}\n' for i in order]
        (folder / f'meta/{split}.txt').write_text(''.join(lines))
    return dict(classes=len(classes), **{split: len(found) for split, found in splits.items()})


def _descend(root: Path) -> Path:
    """Skip folders that hold nothing but one folder, as archives have them."""
    while len(entries := _visible(root)) == 1:
        if not entries[0].is_dir() or entries[0].name == 'train':
            break
        root = entries[0]
    return root


def _visible(folder: Path) -> list[Path]:
    """What is in a folder, hidden files and folders left out."""
    return [path for path in folder.iterdir() if path.name[0] != '.']


def _walk(images: Path, folder: Path, classes: list[str]) -> list[Sample]:
    """All pictures in the class folders of ``folder``; a class without any is an error."""
    samples = []
    for label, name in enumerate(track(classes, f'reading {folder.name}')):
        files = sorted(
            path for path in (folder / name).rglob('*') if path.suffix.lower() in SUFFIXES
        )
        if not files:
            raise PreparationError(f'no pictures ({", ".join(SUFFIXES)}) in {folder / name}')
        samples += [(path.relative_to(images).as_posix(), label) for path in files]
    if not samples:
        raise PreparationError(f'no class folders in {folder.resolve()}')
    return samples


def _find_val(images: Path, classes: list[str]) -> list[Sample]:
    """The samples held out by the one who made the source."""
    names = [name for name in HELD_OUT_NAMES if (images / name).is_dir()]
    if not names:
        raise PreparationError(
            f'{images.resolve()} has train/ but none of {", ".join(HELD_OUT_NAMES)}'
        )
    name, listed = names[0], images / f'meta/{names[0]}.txt'
    if listed.is_file():
        lines = [line.rsplit(maxsplit=1) for line in listed.read_text().splitlines() if line]
        return [(f'{name}/{file}', int(label)) for file, label in lines]
    missing = [found for found in classes if not (images / name / found).is_dir()]
    if missing:
        raise PreparationError(
            f'{images.resolve() / name} has no folder for class {missing[0]!r}, and there is no '
            f'meta/{name}.txt'
        )
    return _walk(images, images / name, classes)


def _hold_out(samples: list[Sample], fraction: float, seed: int) -> dict[str, list[Sample]]:
    """Take the same part of every class, at least one picture, for validation."""
    splits: dict[str, list[Sample]] = dict(train=[], val=[])
    random = np.random.default_rng(seed)
    for label in sorted({label for _, label in samples}):
        members = random.permutation([path for path, found in samples if found == label])
        size = max(1, round(fraction * len(members)))
        splits['val'] += [(str(path), label) for path in members[:size]]
        splits['train'] += [(str(path), label) for path in members[size:]]
    return splits


if __name__ == '__main__':
    main()
