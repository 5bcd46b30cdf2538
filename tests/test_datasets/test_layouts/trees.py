"""Small data sets in every layout, with structure that can be seen in a picture."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (48, 40)  # width, height
SPLITS = {'train': 6, 'val': 2}
_COLORS = ((200, 60, 60), (60, 160, 220), (240, 200, 80))


def scene(index: int, kind: int) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """An image with one coloured rectangle; its corners x1, y1, x2, y2."""
    random = np.random.default_rng(index)
    image = random.integers(0, 60, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    x, y = 2 + index % 9, 3 + index % 7
    box = (x, y, x + 24, y + 20)
    image[box[1] : box[3], box[0] : box[2]] = _COLORS[kind % len(_COLORS)]
    return image, box


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def label_map(box: tuple[int, int, int, int], kind: int) -> np.ndarray:
    labels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    labels[box[1] : box[3], box[0] : box[2]] = kind
    labels[:2] = 255
    return labels


def images_by_class(root: Path, classes=('apple', 'pear', 'plum'), split=True) -> Path:
    for part, count in (SPLITS if split else {'': 6}).items():
        for kind, name in enumerate(classes):
            for i in range(count):
                save(root / part / name / f'{i}.png', scene(10 * kind + i, kind)[0])
    return root


def coco(root: Path, classes=('cat', 'dog')) -> Path:
    for split, count in SPLITS.items():
        images, things = [], []
        for i in range(count):
            pixels, (x1, y1, x2, y2) = scene(i, i % 2)
            save(root / split / f'{i}.jpg', pixels)
            images.append(dict(id=i, file_name=f'{i}.jpg', width=SIZE[0], height=SIZE[1]))
            box = [x1, y1, x2 - x1, y2 - y1]
            thing = dict(id=i, image_id=i, category_id=1 + i % 2, bbox=box, iscrowd=0)
            things.append({**thing, 'area': box[2] * box[3]})
        categories = [dict(id=i + 1, name=name) for i, name in enumerate(classes)]
        content = dict(images=images, annotations=things, categories=categories)
        path = root / f'annotations/instances_{split}.json'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return root


def cityscapes(root: Path) -> Path:
    for split, count in SPLITS.items():
        for i in range(count):
            pixels, box = scene(i, i)
            save(root / f'leftImg8bit/{split}/town/town_{i}_leftImg8bit.png', pixels)
            place = root / f'gtFine/{split}/town/town_{i}_gtFine_labelTrainIds.png'
            save(place, label_map(box, 13))
    return root


def two_folders(root: Path, classes=('ground', 'crop', 'weed')) -> Path:
    for split, count in SPLITS.items():
        for i in range(count):
            pixels, box = scene(i, i)
            save(root / f'img_dir/{split}/{i}.jpg', pixels)
            save(root / f'ann_dir/{split}/{i}.png', label_map(box, 1 + i % 2))
    (root / 'classes.txt').write_text('\n'.join(classes) + '\n')
    return root


def voc(root: Path, boxes=True, maps=True) -> Path:
    start = 0
    for split, count in SPLITS.items():
        names = [f'{start + i:04d}' for i in range(count)]
        start += count
        for i, name in enumerate(names):
            pixels, box = scene(i, i)
            save(root / f'JPEGImages/{name}.jpg', pixels)
            if boxes:
                keys = zip(('xmin', 'ymin', 'xmax', 'ymax'), box, strict=True)
                corners = ''.join(f'<{key}>{value}</{key}>' for key, value in keys)
                kind = ('tree', 'bush')[i % 2]
                text = (
                    f'<annotation><size><width>{SIZE[0]}</width><height>{SIZE[1]}</height></size>'
                    f'<object><name>{kind}</name><bndbox>{corners}</bndbox></object></annotation>'
                )
                path = root / f'Annotations/{name}.xml'
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            if maps:
                save(root / f'SegmentationClass/{name}.png', label_map(box, 15))
        for kind, there in (('Main', boxes), ('Segmentation', maps)):
            if there:
                path = root / f'ImageSets/{kind}/{split}.txt'
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text('\n'.join(names) + '\n')
    return root
