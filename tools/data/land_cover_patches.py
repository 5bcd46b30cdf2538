"""Cut land cover, as tools/data/land_cover.py prepares it, to patches of one class each.

A patch belongs to a class that covers most of it. Colour tells much of the class, direction
nothing: what augmentation may do here is not what it may do to things seen from the side.

    python tools/data/land_cover.py
    python tools/data/land_cover_patches.py     data/land_cover_fold0 -> data/land_cover_patches

writes ``{train,test}/<class>/*.png``, a folder of images by class.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from land_cover import GROUPS
from preparation.command import make_parser, run
from preparation.errors import PreparationError
from preparation.tiles import tile_grid

MOST = 0.8  # of a patch


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = make_parser(__doc__, out='data/land_cover_patches', source=None)
    parser.add_argument('--tiles', default='data/land_cover_fold0', help='prepared land cover')
    parser.add_argument('--side', type=int, default=16, help='of a patch in pixels, default 16')
    run(parser, build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Cut all tiles of both splits; what validates there tests here."""
    if not 8 <= args.side <= 64:
        raise PreparationError(f'--side {args.side} is not in 8 … 64')
    tiles = Path(args.tiles)
    if not (tiles / 'ann_dir').is_dir():
        raise PreparationError(f'{tiles} has no ann_dir; run tools/data/land_cover.py first')
    names, summary = list(GROUPS), dict(train=0, test=0)
    for split, found in (('train', 'train'), ('test', 'val')):
        for path in track(sorted((tiles / 'ann_dir' / found).iterdir()), f'cutting {split}'):
            labels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            image = cv2.imread(str(tiles / 'img_dir' / found / path.name))
            for row, column in tile_grid(*labels.shape, args.side):
                window = (
                    slice(row * args.side, (row + 1) * args.side),
                    slice(column * args.side, (column + 1) * args.side),
                )
                counts = np.bincount(labels[window].ravel(), minlength=256)[: len(names)]
                if counts.max() < MOST * args.side**2:
                    continue
                place = folder / split / names[counts.argmax()]
                place.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(place / f'{path.stem}_{row:02d}_{column:02d}.png'), image[window])
                summary[split] += 1
    return summary


if __name__ == '__main__':
    main()
