"""What a layout says of a data set, a library reads."""

import numpy as np
import pytest
from mmengine.registry import DATASETS, init_default_scope

from tst_mm.datasets.layouts import find_layout

from . import trees

#: A layout, the library, and the labels of the images of the training split.
CASES = {
    'images_by_class': ('mmpretrain', ['apple', 'pear', 'plum']),
    'coco': ('mmdet', ['cat', 'dog']),
    'cityscapes': ('mmseg', None),
    'two_folders': ('mmseg', ['ground', 'crop', 'weed']),
    'voc': ('mmdet', ['bush', 'tree']),
}
PIPELINES = {
    'mmpretrain': [dict(type='LoadImageFromFile'), dict(type='PackInputs')],
    'mmdet': [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True),
        dict(type='PackDetInputs'),
    ],
    'mmseg': [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(type='PackSegInputs'),
    ],
}


def build(layout, split, folder):
    init_default_scope(layout.library)
    entry = layout.dataset(split, folder)
    return DATASETS.build({**entry, 'pipeline': PIPELINES[layout.library]})


@pytest.mark.parametrize('name', CASES)
def test_a_library_reads_it(tmp_path, name):
    layout = find_layout(getattr(trees, name)(tmp_path / 'data'))
    library, classes = CASES[name]
    assert layout.library == library and (classes is None or layout.classes == classes)
    each = 3 if library == 'mmpretrain' else 1
    for split, count in trees.SPLITS.items():
        data = build(layout, split, tmp_path / 'lists')
        assert len(data) == each * count
        assert list(data.metainfo['classes']) == layout.classes
        sample = data[0]['data_samples']
        if library == 'mmdet':
            assert sample.gt_instances.labels.tolist() in ([0], [1])
        elif library == 'mmseg':
            values = set(np.unique(sample.gt_sem_seg.data).tolist())
            assert 255 in values and max(values - {255}) < len(layout.classes)
        else:
            assert 0 <= sample.gt_label.item() < 3


@pytest.mark.parametrize('name', CASES)
def test_pictures_have_the_labels_of_the_library(tmp_path, name):
    """What is drawn is what a network learns from."""
    layout = find_layout(getattr(trees, name)(tmp_path / 'data'))
    data = build(layout, 'train', tmp_path / 'lists')
    shown = {image.path.name: image for image in layout.images(4)}
    assert len(shown) == 4 or name == 'images_by_class'  # where names are the same in all classes
    compared = 0
    for i in range(len(data)):
        sample = data[i]['data_samples']
        image = shown.get(sample.img_path.rsplit('/', 1)[1])
        if image is None or str(image.path) != sample.img_path:
            continue
        compared += 1
        if layout.library == 'mmdet':
            labels = sample.gt_instances.labels.numpy()
            assert (image.labels == labels).all()
            boxes = sample.gt_instances.bboxes
            boxes = getattr(boxes, 'tensor', boxes).numpy()
            assert np.abs(image.boxes - boxes).max() <= 1  # VOC counts from 1; mmdet once did not
        elif layout.library == 'mmseg':
            assert (image.label_map == sample.gt_sem_seg.data[0].numpy()).all()
        else:
            assert image.name == layout.classes[sample.gt_label.item()]
    assert compared >= 2


def test_half_of_voc_by_library(tmp_path):
    root = trees.voc(tmp_path / 'data')
    layout = find_layout(root, 'mmseg')
    assert layout.classes[15] == 'person' and len(layout.classes) == 21
    assert len(build(layout, 'val', tmp_path)) == 2
    with pytest.raises(ValueError, match='boxes, for mmdet; the config is of mmseg'):
        find_layout(trees.voc(tmp_path / 'boxes', maps=False), 'mmseg')


def test_names_of_classes(tmp_path):
    root = trees.cityscapes(tmp_path / 'data')
    assert find_layout(root).classes[13] == 'car'
    (root / 'classes.txt').write_text('a\nb\n\n')
    assert find_layout(root).classes == ['a', 'b']
    (root / 'classes.txt').write_text('a\na\n')
    with pytest.raises(ValueError, match='classes.txt holds 2 names; allowed: a line for each cla'):
        _ = find_layout(root).classes


def test_a_folder_without_splits_is_split_alike_every_time(tmp_path):
    layout = find_layout(trees.images_by_class(tmp_path / 'data', split=False))
    lines = {}
    for split in ('train', 'val'):
        assert len(build(layout, split, tmp_path)) == (15 if split == 'train' else 3)
        lines[split] = (tmp_path / f'{split}.txt').read_text().splitlines()
    assert not set(lines['train']) & set(lines['val'])
    again = find_layout(tmp_path / 'data')
    again.dataset('train', tmp_path / 'again')
    assert (tmp_path / 'again/train.txt').read_text().splitlines() == lines['train']
    # Every beginning holds the classes equally often.
    assert sorted(line[-1] for line in lines['train'][:6]) == ['0', '0', '1', '1', '2', '2']
