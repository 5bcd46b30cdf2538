"""The check of Cityscapes folders: every fault is seen and named."""

import cv2
import numpy as np
import pytest

from tst_mm.datasets.checks import check_cityscapes


def paths(root, split, name):
    """Image and label map of one scene."""
    return (
        root / f'leftImg8bit/{split}/town/town_{name}_leftImg8bit.png',
        root / f'gtFine/{split}/town/town_{name}_gtFine_labelTrainIds.png',
    )


@pytest.fixture
def data(tmp_path):
    """A sound data set with 2 images a split."""
    for split in ('train', 'val'):
        for name in ('0', '1'):
            image, label = paths(tmp_path, split, name)
            image.parent.mkdir(parents=True, exist_ok=True)
            label.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(image), np.zeros((8, 16, 3), np.uint8))
            values = np.full((8, 16), 18, np.uint8)
            values[:, :4] = 255
            cv2.imwrite(str(label), values)
    return tmp_path


def test_sound_data(data):
    findings = check_cityscapes(data)
    assert findings.faults == [] and findings.notes == []
    assert findings.found[:2] == [
        'train: 2 images, 1 cities',
        'train: classes [18], 25.0% of the pixels ignored',
    ]


@pytest.mark.faults
def test_other_values_than_classes(data):
    findings = check_cityscapes(data, num_classes=18)
    assert len(findings.faults) == 2
    assert 'other values than 0 … 17 and 255, first: town/town_0, values [18]' in findings.faults[0]


@pytest.mark.faults
def test_label_ids_instead_of_train_ids(data):
    for name in ('0', '1'):
        _, label = paths(data, 'val', name)
        label.rename(str(label).replace('labelTrainIds', 'labelIds'))
    [fault] = check_cityscapes(data).faults
    assert fault.endswith('convert them with cityscapesscripts (csCreateTrainIdLabelImgs)')


@pytest.mark.faults
def test_pairs_and_sizes(data):
    paths(data, 'train', '0')[1].unlink()
    paths(data, 'val', '0')[0].unlink()
    cv2.imwrite(str(paths(data, 'train', '1')[1]), np.zeros((4, 16), np.uint8))
    cv2.imwrite(str(paths(data, 'val', '1')[1]), np.zeros((8, 16, 3), np.uint8))
    findings = check_cityscapes(data)
    assert findings.faults == [
        '1 images without label map in train, first: town/town_0',
        '1 label maps in train of another size, first: town/town_1, 16 x 4, image 16 x 8',
        '1 label maps in val with other values than 0 … 18 and 255, first: town/town_1, '
        'not one byte a pixel',
    ]
    assert findings.notes == ['1 label maps without image in val, first: town/town_0']


@pytest.mark.faults
def test_nothing_there(tmp_path):
    assert len(check_cityscapes(tmp_path).faults) == 4


@pytest.mark.faults
def test_damaged_file(data):
    paths(data, 'val', '1')[1].write_bytes(b'')
    assert check_cityscapes(data).faults == [
        '1 files in val that are no images, first: town/town_1'
    ]
