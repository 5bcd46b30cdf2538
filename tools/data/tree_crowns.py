"""Prepare tree crowns in aerial photographs, real detection data, as COCO.

Four photographs with 951 annotated trees (National Ecological Observatory Network) come inside
the Python package ``deepforest`` (MIT licence). The package is downloaded (20 MB) and unpacked,
not installed. The photographs are cut to tiles; the lower part of each is for validation. What a
tile shows less than half of is marked as to be ignored (``iscrowd``).

    python tools/data/tree_crowns.py
"""

import argparse
from pathlib import Path

import cv2
from rich.progress import track

from preparation.coco import CocoFile
from preparation.command import make_parser, run
from preparation.errors import PreparationError
from preparation.fetch import package_files
from preparation.tiles import tile_grid
from preparation.voc import VocObject, read_voc

PACKAGE = 'deepforest==2.1.0'
PHOTOS = (
    '2019_YELL_2_528000_4978000_image_crop2',
    '2019_YELL_2_541000_4977000_image_crop',
    'OSBS_029',
    'SOAP_061',
)
CLASSES = ('tree',)
MIN_VISIBLE = 0.5  # of the area of a box
MIN_TILE, MAX_TILE = 64, 200  # pixels; the smaller photographs have 400 x 400


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = make_parser(
        __doc__, out='data/tree_crowns', source=f'wheel of {PACKAGE}, or its folder; default: pip'
    )
    parser.add_argument(
        '--tile', type=int, default=200, help='side of a tile in pixels, default and most 200'
    )
    run(parser, build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Cut all photographs and write both splits."""
    if not MIN_TILE <= args.tile <= MAX_TILE:
        raise PreparationError(f'--tile {args.tile} is not in {MIN_TILE} … {MAX_TILE}')
    description = f'Aerial photographs of NEON, from {PACKAGE}, cut to tiles'
    files = {split: CocoFile(CLASSES, description) for split in ('train', 'val')}
    for split in files:
        (folder / split).mkdir()
    names = [f'deepforest/data/{photo}{end}' for photo in PHOTOS for end in ('.png', '.xml')]
    with package_files(PACKAGE, names, args.source) as content:
        for photo in track(PHOTOS, 'cutting'):
            image = cv2.imread(str(content / f'deepforest/data/{photo}.png'))
            objects, _ = read_voc(content / f'deepforest/data/{photo}.xml', *image.shape[:2])
            rows = image.shape[0] // args.tile
            for row, column in tile_grid(*image.shape[:2], args.tile):
                split = 'train' if row < (rows + 1) // 2 else 'val'
                name = f'{photo}_{row:02d}_{column:02d}.png'
                top, left = row * args.tile, column * args.tile
                tile = image[top : top + args.tile, left : left + args.tile]
                cv2.imwrite(str(folder / split / name), tile)
                image_id = files[split].add_image(name, args.tile, args.tile)
                _add_boxes(files[split], image_id, objects, top, left, args.tile)
    summary = {}
    for split, file in files.items():
        file.save(folder / f'annotations/instances_{split}.json')
        trees = [thing for thing in file.content['annotations'] if not thing['iscrowd']]
        summary[split] = dict(images=len(file.content['images']), trees=len(trees))
    return summary


def _add_boxes(
    file: CocoFile, image_id: int, objects: list[VocObject], top: int, left: int, size: int
) -> None:
    """Add the parts of boxes inside one tile."""
    for thing in objects:
        x1, y1, x2, y2 = thing.box
        inside = (
            max(x1 - left, 0),
            max(y1 - top, 0),
            min(x2 - left, size),
            min(y2 - top, size),
        )
        width, height = inside[2] - inside[0], inside[3] - inside[1]
        if width > 0 and height > 0:
            visible = width * height / ((x2 - x1) * (y2 - y1))
            file.add_box(image_id, 0, inside, ignored=visible < MIN_VISIBLE)


if __name__ == '__main__':
    main()
