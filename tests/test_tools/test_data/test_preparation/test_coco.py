"""Writing COCO files: what pycocotools reads is what was meant."""

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from preparation.coco import CocoFile, mask_to_polygons, run_lengths


def disc(height=60, width=80, centre=(40, 30), radius=20):
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, centre, radius, 1, -1)
    return mask.astype(bool)


def write(tmp_path, *masks, crowd=False):
    file = CocoFile(['a', 'b'], 'test')
    image = file.add_image('image.png', *masks[0].shape)
    for mask in masks:
        file.add_mask(image, 1, mask, crowd)
    file.save(tmp_path / 'annotations/file.json')
    coco = COCO(str(tmp_path / 'annotations/file.json'))
    return coco, coco.loadAnns(coco.getAnnIds())


def box_of(mask):
    rows, columns = np.nonzero(mask)
    x, y = columns.min(), rows.min()
    return [x, y, columns.max() + 1 - x, rows.max() + 1 - y]


@pytest.mark.parametrize(
    'mask', [disc(), disc(centre=(0, 0)), disc(radius=2), disc() & ~disc(centre=(45, 35))]
)
def test_polygons_draw_the_mask_and_the_box_fits(tmp_path, mask):
    coco, [thing] = write(tmp_path, mask)
    assert isinstance(thing['segmentation'], list)
    drawn = coco.annToMask(thing).astype(bool)
    assert (drawn & mask).sum() / (drawn | mask).sum() >= 0.9
    assert thing['bbox'] == box_of(drawn)
    assert thing['area'] == drawn.sum()
    assert np.abs(np.array(thing['bbox']) - box_of(mask)).max() <= 1
    assert (thing['category_id'], thing['iscrowd']) == (2, 0)


def test_parts_become_several_polygons():
    assert (
        len(mask_to_polygons(disc(centre=(15, 30), radius=9) | disc(centre=(60, 30), radius=9)))
        == 2
    )


def test_masks_with_holes_keep_them(tmp_path):
    ring = disc() & ~disc(radius=12)
    coco, [thing] = write(tmp_path, ring)
    assert isinstance(thing['segmentation'], dict)
    assert (coco.annToMask(thing) == ring).all()


def test_crowds_are_uncompressed_run_lengths(tmp_path):
    coco, [thing] = write(tmp_path, disc(), crowd=True)
    assert thing['iscrowd'] == 1 and isinstance(thing['segmentation']['counts'], list)
    assert (coco.annToMask(thing) == disc()).all()
    assert thing['bbox'] == box_of(disc())


@pytest.mark.parametrize(
    'mask, expected', [([[0, 1], [1, 1]], [1, 3]), ([[1, 0], [0, 0]], [0, 1, 3]), ([[0, 0]], [2])]
)
def test_run_lengths(mask, expected):
    assert run_lengths(np.array(mask, bool)) == expected


def test_boxes_and_ids(tmp_path):
    file = CocoFile(['a'], 'test')
    for name in ('one.png', 'two.png'):
        image = file.add_image(name, 10, 20)
        file.add_box(image, 0, (1, 2, 5, 10))
        file.add_box(image, 0, (0, 0, 2, 2), ignored=True)
    file.save(tmp_path / 'file.json')
    coco = COCO(str(tmp_path / 'file.json'))
    assert coco.getImgIds() == [1, 2] and coco.getAnnIds() == [1, 2, 3, 4]
    assert coco.anns[1]['bbox'] == [1, 2, 4, 8] and coco.anns[1]['area'] == 32
    assert coco.getAnnIds(iscrowd=True) == [2, 4]
