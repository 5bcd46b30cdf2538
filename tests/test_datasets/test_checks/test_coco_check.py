"""The check of COCO folders: every fault is seen and named."""

import json
import re

import cv2
import numpy as np
import pytest

from preparation.coco import CocoFile
from tst_mm.datasets.checks import check_coco


@pytest.fixture
def data(tmp_path):
    """A sound data set with 2 images a split, named as COCO 2017 is."""
    for split in ('train2017', 'val2017'):
        (tmp_path / split).mkdir()
        file = CocoFile(['cat', 'dog'], 'test')
        for i in range(2):
            cv2.imwrite(str(tmp_path / f'{split}/{i}.png'), np.zeros((20, 30, 3), np.uint8))
            image = file.add_image(f'{i}.png', 20, 30)
            file.add_box(image, i, (0, 0, 30, 20))
        file.save(tmp_path / f'annotations/instances_{split}.json')
    return tmp_path


def change(data, edit):
    """Edit the training annotations."""
    path = data / 'annotations/instances_train2017.json'
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_sound_data(data):
    findings = check_coco(data)
    assert findings.faults == [] and findings.notes == []
    assert 'instances_val2017.json: 2 images, 2 annotations (0 with mask, 0 crowds), 2 classes' in (
        findings.found
    )
    assert 'instances_train2017.json: classes cat, dog' in findings.found


def test_nothing_there(tmp_path):
    assert len(check_coco(tmp_path).faults) == 2
    assert 'no annotations/instances_train*.json' in str(check_coco(tmp_path))


@pytest.mark.faults
@pytest.mark.parametrize(
    'edit, fault',
    [
        (lambda c: c['annotations'][0].update(image_id=9), '1 annotations of unknown images'),
        (lambda c: c['annotations'][0].update(category_id=9), '1 annotations of unknown classes'),
        (lambda c: c['annotations'][1].update(id=1), '1 annotation ids used twice'),
        (lambda c: c['annotations'][0].update(bbox=[30, 0, 5, 5]), '1 boxes wholly outside'),
        (lambda c: c['images'][0].update(file_name='no.png'), '1 images of .* missing .*: no.png'),
        (lambda c: c['images'][0].update(width=31), '30 x 20, said to be 31 x 20'),
        (lambda c: c['annotations'][0].pop('bbox'), "item of 'annotations' has no 'bbox'"),
        (lambda c: c.pop('categories'), "not a COCO file: no 'categories'"),
        (lambda c: c['categories'][1].update(name='cat'), 'class names are .* not distinct'),
        (lambda c: c['categories'][1].update(name='cow'), 'the splits have different classes'),
    ],
)
def test_faults(data, edit, fault):
    change(data, edit)
    findings = check_coco(data)
    assert re.search(fault, '\n'.join(findings.faults)), str(findings)


@pytest.mark.parametrize(
    'edit, note',
    [
        (lambda c: c['annotations'][0].update(bbox=[5, 5, 0, 5]), '1 boxes without area'),
        (lambda c: c['annotations'][0].update(bbox=[5, 5, 30, 5]), '1 boxes partly outside'),
        (lambda c: c['annotations'].pop(), '1 images without annotation'),
    ],
)
def test_notes_are_no_faults(data, edit, note):
    change(data, edit)
    findings = check_coco(data)
    assert findings.faults == []
    assert note in findings.notes[0]


@pytest.mark.faults
def test_files(data):
    (data / 'annotations/instances_val2017.json').write_text('{"images": [')
    (data / 'train2017/0.png').write_text('no image')
    (data / 'train2017/more.png').write_text('')
    text = str(check_coco(data))
    assert 'FAULT instances_val2017.json is not a COCO file' in text
    assert 'FAULT 1 files in train2017/ that are no images, first: 0.png' in text
    assert 'note  1 files in train2017/ that instances_train2017.json does not list' in text


@pytest.mark.faults
def test_folder_of_images_missing(data):
    (data / 'val2017').rename(data / 'images')
    assert 'no folder val2017/ with the images of instances_val2017.json' in str(check_coco(data))
