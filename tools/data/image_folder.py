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

from preparation.command import make_parser, run
from preparation.errors import PreparationError
from preparation.fetch import unpacked
from tst_mm.datasets.balance import balanced_order
from tst_mm.datasets.image_folder import read_image_folder, visible


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
    try:
        classes, splits = read_image_folder(images, args.val_fraction, args.seed)
    except ValueError as error:
        raise PreparationError(error) from error
    (folder / 'meta').mkdir()
    (folder / 'meta/classes.txt').write_text('\n'.join(classes) + '\n')
    for split, found in splits.items():
        order = balanced_order([label for _, label in found], args.seed)
        lines = [f'{found[i][0]} {found[i][1]}\n' for i in order]
        (folder / f'meta/{split}.txt').write_text(''.join(lines))
    return dict(classes=len(classes), **{split: len(found) for split, found in splits.items()})


def _descend(root: Path) -> Path:
    """Skip folders that hold nothing but one folder, as archives have them."""
    while len(entries := visible(root)) == 1:
        if not entries[0].is_dir() or entries[0].name == 'train':
            break
        root = entries[0]
    return root


if __name__ == '__main__':
    main()
