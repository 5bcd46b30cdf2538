"""Convert a data set in the format of Pascal VOC to COCO.

``--source`` is a folder or an archive with ``Annotations/*.xml``, ``JPEGImages`` and, if there is
one, ``ImageSets/Main/{train,val,test}.txt``; it may lie deeper inside. Without the lists a part is
held out at random. Boxes without extent are dropped and counted; difficult ones become ``iscrowd``.

    python tools/data/voc_to_coco.py --source ~/bccd.tar.xz --out data/bccd

writes ``annotations/instances_{train,val,test}.json`` and the images in ``train/``, ``val/``,
``test/``.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from preparation.coco import CocoFile
from preparation.command import make_parser, run
from preparation.errors import PreparationError
from preparation.fetch import unpacked
from preparation.voc import VocObject, read_voc
from tst_mm.utils.errors import closest

SPLITS = ('train', 'val', 'test')


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = make_parser(__doc__, out=None, source='folder or tar/zip archive, required')
    parser.add_argument('--classes', nargs='+', help='in this order; default: all, sorted')
    parser.add_argument(
        '--val-fraction', type=float, default=0.2, help='held out without lists, default 0.2'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the part held out, default 0')
    run(parser, build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Read all annotations, then write split by split."""
    if not args.source:
        raise PreparationError('--source is required')
    if not 0 < args.val_fraction < 1:
        raise PreparationError(f'--val-fraction {args.val_fraction} is not between 0 and 1')
    with unpacked(args.source) as content:
        found = [path for path in sorted(content.rglob('Annotations')) if path.is_dir()]
        if not found:
            raise PreparationError(f'no folder Annotations in {args.source}')
        root = found[0].parent
        splits = _read_splits(root, args.val_fraction, args.seed)
        images = {path.stem: path for path in sorted((root / 'JPEGImages').glob('*'))}
        samples, dropped = {}, 0
        for name in track([name for names in splits.values() for name in names], 'reading'):
            if name not in images:
                raise PreparationError(f'no image for {name} in {root / "JPEGImages"}')
            with Image.open(images[name]) as image:
                width, height = image.size
            objects, lost = read_voc(root / f'Annotations/{name}.xml', height, width)
            samples[name] = (images[name], height, width, objects)
            dropped += lost
        classes = _choose_classes(args.classes, samples)
        summary: dict = dict(classes=classes, boxes_without_extent=dropped)
        for split, names in splits.items():
            summary[split] = _write(folder, split, [samples[name] for name in names], classes)
    return summary


def _read_splits(root: Path, fraction: float, seed: int) -> dict[str, list[str]]:
    """Names of the images of each split: from the lists, or by chance when there are none."""
    annotated = {path.stem for path in (root / 'Annotations').glob('*.xml')}
    if not annotated:
        raise PreparationError(f'no *.xml in {root / "Annotations"}')
    lists = {split: root / f'ImageSets/Main/{split}.txt' for split in SPLITS}
    splits = {
        split: [line.split()[0] for line in path.read_text().splitlines() if line.strip()]
        for split, path in lists.items()
        if path.is_file()
    }
    for split, names in splits.items():
        missing = sorted(set(names) - annotated)
        if missing:
            raise PreparationError(f'{lists[split]} names {missing[0]}, which has no annotation')
    if not splits:
        names = np.random.default_rng(seed).permutation(sorted(annotated)).tolist()
        size = max(1, round(fraction * len(names)))
        splits = dict(train=sorted(names[size:]), val=sorted(names[:size]))
    return splits


def _choose_classes(wanted: list[str] | None, samples: dict) -> list[str]:
    """The classes to be written: those asked for, which must occur, or all."""
    present = {thing.name for *_, objects in samples.values() for thing in objects}
    for name in wanted or []:
        if name not in present:
            raise PreparationError(f'--classes {name}: {closest(name, sorted(present))}')
    return wanted or sorted(present)


def _write(
    folder: Path,
    split: str,
    samples: list[tuple[Path, int, int, list[VocObject]]],
    classes: list[str],
) -> dict:
    """Write one split; returns how many images and annotations it has."""
    (folder / split).mkdir()
    file = CocoFile(classes, 'converted from Pascal VOC')
    for path, height, width, objects in samples:
        shutil.copyfile(path, folder / split / path.name)
        image_id = file.add_image(path.name, height, width)
        for thing in objects:
            if thing.name in classes:
                label = classes.index(thing.name)
                file.add_box(image_id, label, thing.box, ignored=thing.difficult)
    file.save(folder / f'annotations/instances_{split}.json')
    return {key: len(file.content[key]) for key in ('images', 'annotations')}


if __name__ == '__main__':
    main()
