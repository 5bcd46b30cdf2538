"""Data sets of random JPEG files in the layouts that the libraries read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

#: Images of every data set.
COUNT = 256


def write_classes(folder: Path, side: int) -> None:
    """Write a folder by class, ``<class>/<n>.jpg``, of square images."""
    random = np.random.default_rng(0)
    for i in range(COUNT):
        path = folder / f'class{i % 10}' / f'{i}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        _picture(random, side, side).save(path)


def write_boxes(folder: Path, width: int, height: int) -> None:
    """Write ``images/*.jpg`` and ``boxes.json``, COCO's format, with five boxes an image."""
    random = np.random.default_rng(0)
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    images, boxes = [], []
    for i in range(COUNT):
        _picture(random, width, height).save(folder / 'images' / f'{i}.jpg')
        images.append({'id': i, 'file_name': f'{i}.jpg', 'width': width, 'height': height})
        for _ in range(5):
            w, h = (int(v) for v in random.integers(20, min(width, height) // 2, 2))
            x, y = int(random.integers(width - w)), int(random.integers(height - h))
            box = {'id': len(boxes), 'image_id': i, 'bbox': [x, y, w, h], 'area': w * h}
            boxes.append({**box, 'category_id': int(random.integers(80)), 'iscrowd': 0})
    categories = [{'id': i, 'name': f'class{i}'} for i in range(80)]
    content = {'images': images, 'annotations': boxes, 'categories': categories}
    (folder / 'boxes.json').write_text(json.dumps(content))


def write_maps(folder: Path, width: int, height: int) -> None:
    """Write ``images/*.jpg`` and ``maps/*.png`` with 19 classes in blocks."""
    random = np.random.default_rng(0)
    for name in ('images', 'maps'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for i in range(COUNT):
        _picture(random, width, height).save(folder / 'images' / f'{i}.jpg')
        blocks = random.integers(19, size=(height // 8, width // 8), dtype=np.uint8)
        labels = blocks.repeat(8, 0).repeat(8, 1)
        Image.fromarray(labels).save(folder / 'maps' / f'{i}.png')


def _picture(random: np.random.Generator, width: int, height: int) -> Image.Image:
    """Soft blobs with some grain, so that a JPEG file is about as large as that of a photo."""
    blobs = random.integers(256, size=(4, 6, 3), dtype=np.uint8)
    picture = np.asarray(Image.fromarray(blobs).resize((width, height), Image.Resampling.BICUBIC))
    grain = random.normal(0, 12, picture.shape)
    return Image.fromarray(np.clip(picture + grain, 0, 255).astype(np.uint8))
