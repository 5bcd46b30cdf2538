"""Tiny data sets in the layouts of COCO, Cityscapes, CIFAR-100 and ImageNet."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np

HEIGHT, WIDTH = 64, 128
_NAMES = ('person', 'bicycle', 'car')  # the first of COCO's


def write_coco(folder: Path, count: int = 2) -> None:
    """Images with three boxed and masked things each, where COCO keeps its training images."""
    (folder / 'annotations').mkdir(parents=True)
    (folder / 'train2017').mkdir()
    random = np.random.default_rng(0)
    images, things = [], []
    for i in range(1, count + 1):
        name = f'{i:012d}.jpg'
        image = random.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        for j, (x, y, w, h) in enumerate([(5, 5, 40, 40), (50, 10, 30, 50), (85, 20, 40, 36)]):
            image[y : y + h, x : x + w] = 60 * (j + 1)
            outline = [x, y, x + w, y, x + w, y + h, x, y + h]
            things.append(
                dict(
                    id=len(things) + 1,
                    image_id=i,
                    category_id=j + 1,
                    bbox=[x, y, w, h],
                    area=w * h,
                    iscrowd=0,
                    segmentation=[outline],
                )
            )
        cv2.imwrite(str(folder / 'train2017' / name), image)
        images.append(dict(id=i, file_name=name, height=HEIGHT, width=WIDTH))
    categories = [dict(id=i + 1, name=name) for i, name in enumerate(_NAMES)]
    content = dict(images=images, annotations=things, categories=categories)
    (folder / 'annotations/instances_train2017.json').write_text(json.dumps(content))


def write_cityscapes(folder: Path, count: int = 2) -> None:
    """Images with label maps, where Cityscapes keeps its training images."""
    places = [folder / kind / 'train' / 'town' for kind in ('leftImg8bit', 'gtFine')]
    for place in places:
        place.mkdir(parents=True)
    random = np.random.default_rng(0)
    for i in range(count):
        label = np.repeat(np.arange(8, dtype=np.uint8), WIDTH // 8)[None].repeat(HEIGHT, 0)
        label[:8] = 255
        image = random.integers(0, 60, (HEIGHT, WIDTH, 3), np.uint8) + 20 * label[..., None] % 180
        name = f'town_{i:06d}_000000'
        cv2.imwrite(str(places[0] / f'{name}_leftImg8bit.png'), image)
        cv2.imwrite(str(places[1] / f'{name}_gtFine_labelTrainIds.png'), label)


def write_cifar100(folder: Path, count: int = 20) -> None:
    """Two images of each of the first classes, as the published archive holds them."""
    place = folder / 'cifar-100-python'
    place.mkdir(parents=True)
    random = np.random.default_rng(0)
    for split in ('train', 'test'):
        data = random.integers(0, 255, (count, 3 * 32 * 32), np.uint8)
        content = dict(data=data, fine_labels=[i // 2 for i in range(count)])
        (place / split).write_bytes(pickle.dumps(content))


def write_imagenet(folder: Path, count: int = 20) -> None:
    """Two images of each of the first classes, with the list that OpenMMLab's users have."""
    (folder / 'train').mkdir(parents=True)
    (folder / 'meta').mkdir()
    random = np.random.default_rng(0)
    for i in range(count):
        image = random.integers(0, 255, (40, 40, 3), np.uint8)
        cv2.imwrite(str(folder / 'train' / f'{i}.jpg'), image)
    lines = [f'{i}.jpg {i // 2}\n' for i in range(count)]
    (folder / 'meta' / 'train.txt').write_text(''.join(lines))
