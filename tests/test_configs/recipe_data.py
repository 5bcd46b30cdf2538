"""Tiny data sets from which a tiny network can learn: what is what shows in its colour."""

import json
from pathlib import Path

import cv2
import numpy as np

from .tiny_data import HEIGHT, WIDTH, write_coco, write_imagenet

#: Blue, green and red of the classes of label maps, far apart.
_COLOURS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200], [200, 200, 200]], np.uint8)
_BANNER = 92  # the first of COCO's stuff


def write_all(root: Path, counts: dict[str, int]) -> dict[str, str]:
    """Data sets for all recipes.

    Args:
        root: A new folder.
        counts: How many images those of a library have, by its scope.

    Returns:
        Their folders, by words in the names of recipes.
    """
    write_coco(root / 'coco', counts['mmdet'])
    _add_panoptic(root / 'coco')
    bands = _bands(counts['mmseg'])
    folder = root / 'cityscapes'
    for i, (image, label) in enumerate(bands):
        name = f'town_{i:06d}_000000'
        _write(folder / f'leftImg8bit/train/town/{name}_leftImg8bit.png', image)
        _write(folder / f'gtFine/train/town/{name}_gtFine_labelTrainIds.png', label)
    for i, (image, label) in enumerate(bands):
        _write(root / f'ade/images/training/{i}.jpg', image)
        _write(root / f'ade/annotations/training/{i}.png', label + np.uint8(1))  # 0 is no class
    write_imagenet(root / 'imagenet', counts['mmpretrain'])
    names = {'coco': 'coco', 'cityscapes': 'cityscapes', 'ade20k': 'ade', 'in1k': 'imagenet'}
    return {word: f'{root}/{folder}/' for word, folder in names.items()}


def _bands(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images of four coloured bands in another order each, with their label maps."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(count):
        label = np.repeat(random.permutation(4).astype(np.uint8), WIDTH // 4)[None]
        label = label.repeat(HEIGHT, 0)
        image = _COLOURS[label] + random.integers(-30, 30, (HEIGHT, WIDTH, 3))
        label[:8] = 255
        found.append((image.astype(np.uint8), label))
    return found


def _add_panoptic(folder: Path) -> None:
    """The things of a tiny COCO, and the rest as one kind of stuff, as panoptic maps."""
    places = folder / 'annotations'
    content = json.loads((places / 'instances_train2017.json').read_text())
    annotations = []
    for image in content['images']:
        segments = [dict(id=1000, category_id=_BANNER, iscrowd=0, bbox=[0, 0, WIDTH, HEIGHT])]
        ids = np.full((HEIGHT, WIDTH), 1000)
        for thing in content['annotations']:
            if thing['image_id'] == image['id']:
                x, y, w, h = thing['bbox']
                ids[y : y + h, x : x + w] = thing['id']
                segments.append({k: thing[k] for k in ('id', 'category_id', 'iscrowd', 'bbox')})
        for segment in segments:
            segment['area'] = int((ids == segment['id']).sum())
        name = image['file_name'].replace('.jpg', '.png')
        # An id is red + 256 * green + 65536 * blue.
        colours = np.stack([ids >> 16, ids >> 8 & 255, ids & 255], -1).astype(np.uint8)
        _write(places / 'panoptic_train2017' / name, colours)
        annotations.append(dict(image_id=image['id'], file_name=name, segments_info=segments))
    for category in content['categories']:
        category['isthing'] = 1
    content['categories'].append(dict(id=_BANNER, name='banner', isthing=0))
    content['annotations'] = annotations
    (places / 'panoptic_train2017.json').write_text(json.dumps(content))


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)
