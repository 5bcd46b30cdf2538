"""Compose scenes for detection and segmentation from the embedded Fashion-MNIST.

These are composed pictures, not photographs: items cut out of Fashion-MNIST, tinted, turned,
scaled and laid over each other on textured ground, among fragments and strokes. They need no
download and train small dense models in minutes; numbers reached on them say nothing about COCO
or Cityscapes. Training scenes use items of the training split, validation scenes of the test split.

    python tools/data/composed_scenes.py --format coco        -> data/composed_coco
    python tools/data/composed_scenes.py --format cityscapes  -> data/composed_cityscapes

coco        annotations/instances_{train,val}.json with boxes, masks, crowds; train/, val/
cityscapes  leftImg8bit/{train,val}/fashion/*_leftImg8bit.png and
            gtFine/{train,val}/fashion/*_gtFine_labelTrainIds.png; 0 ground, 1 top, 2 trouser,
            3 dress, 4 shoe, 5 bag; 255, to be ignored, fragments; classes.txt
sources.json has the items of every picture, as indices into the embedded training or test split.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from preparation.coco import CocoFile
from preparation.command import make_parser, run
from preparation.cutouts import CLASSES, Cutouts
from preparation.errors import PreparationError
from preparation.scenes import Scene, SceneComposer

#: Size and number of things of a scene by format.
FORMATS = {'coco': ((96, 96), (2, 5)), 'cityscapes': ((80, 160), (3, 8))}
#: Sides of the things, relative to the scene's shorter side: smaller ones would be a blur.
SCALES = (0.3, 0.7)
#: The split of the embedded set whose items make a split of scenes.
ITEMS = {'train': 'train', 'val': 'test'}
Scenes = Iterable[tuple[str, Scene]]  # with their names
SMALLEST = 64  # pixels; items would be unrecognisable in smaller scenes


def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = make_parser(__doc__, out='data/composed_{format}', source=None)
    parser.add_argument('--format', choices=FORMATS, default='coco')
    parser.add_argument('--train', type=int, default=400, help='training scenes, default 400')
    parser.add_argument('--val', type=int, default=100, help='validation scenes, default 100')
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='in pixels, default 96 96 for coco, 80 160 for cityscapes',
    )
    parser.add_argument('--seed', type=int, default=0)
    run(parser, build, argv)


def build(args: argparse.Namespace, folder: Path) -> dict:
    """Compose and write all scenes."""
    size, things = FORMATS[args.format]
    size = tuple(args.size or size)
    if min(size) < SMALLEST:
        raise PreparationError(f'--size {size[0]} {size[1]}: both at least {SMALLEST}')
    counts = dict(train=args.train, val=args.val)
    if min(counts.values()) < 1:
        raise PreparationError(f'--train {args.train} --val {args.val}: both at least 1')
    write = _write_coco if args.format == 'coco' else _write_cityscapes
    summary, sources = {}, {}
    for split, count in counts.items():
        composer = SceneComposer(Cutouts(ITEMS[split]), size, things, SCALES)
        scenes = _compose(split, count, composer, args.seed)
        summary[split], sources[split] = write(folder, split, scenes)
    (folder / 'sources.json').write_text(json.dumps(sources))
    return summary


def _compose(
    split: str, count: int, composer: SceneComposer, seed: int
) -> Iterator[tuple[str, Scene]]:
    """Names and scenes of one split."""
    for i in track(range(count), f'composing {split}'):
        # every scene has its own stream: asking for more of them changes none
        random = np.random.default_rng([seed, list(ITEMS).index(split), i])
        yield f'{i:06d}', composer.compose(random)


def _write_coco(folder: Path, split: str, scenes: Scenes) -> tuple[dict, dict]:
    """Write one split as COCO; returns a summary and the items of every scene."""
    (folder / split).mkdir()
    file = CocoFile(CLASSES, 'Scenes composed from Fashion-MNIST items by tst_mm; not photographs')
    sources = {}
    for name, scene in scenes:
        _save(folder / split / f'{name}.png', scene.image)
        image_id = file.add_image(f'{name}.png', *scene.owner.shape)
        for mark, thing in enumerate(scene.things):
            mask = scene.owner == mark
            if mask.any():  # a pile may be hidden altogether
                file.add_mask(image_id, thing.label, mask, thing.crowd)
        sources[name] = scene.sources
    file.save(folder / f'annotations/instances_{split}.json')
    return {key: len(file.content[key]) for key in ('images', 'annotations')}, sources


def _write_cityscapes(folder: Path, split: str, scenes: Scenes) -> tuple[dict, dict]:
    """Write one split as Cityscapes; returns a summary and the items of every scene."""
    for kind in ('leftImg8bit', 'gtFine'):
        (folder / kind / split / 'fashion').mkdir(parents=True)
    sources = {}
    for name, scene in scenes:
        stem = f'{split}/fashion/fashion_{name}_000000'
        _save(folder / f'leftImg8bit/{stem}_leftImg8bit.png', scene.image)
        _save(folder / f'gtFine/{stem}_gtFine_labelTrainIds.png', scene.label_map())
        sources[name] = scene.sources
    (folder / 'classes.txt').write_text('\n'.join(['ground', *CLASSES]) + '\n')
    return dict(images=len(sources)), sources


def _save(path: Path, image: np.ndarray) -> None:
    """Write an RGB image or a label map."""
    cv2.imwrite(str(path), image[..., ::-1] if image.ndim == 3 else image)


if __name__ == '__main__':
    main()
