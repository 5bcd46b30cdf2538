"""The embedded Fashion-MNIST: what it holds, how it is reached, how fast it is."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.runner import Runner

import tst_mm  # noqa: F401
from tst_mm.datasets.embedded_fashion_mnist import EMBEDDED_ROOT

CONFIGS = Path(__file__).parents[2] / 'configs/_base_/datasets'


def build(**kwargs):
    return DATASETS.build(dict(type='tst_mm.EmbeddedFashionMNIST', **kwargs))


def test_files_are_small_and_those_recorded():
    files = sorted(EMBEDDED_ROOT.glob('*.gz'))
    assert sum(path.stat().st_size for path in EMBEDDED_ROOT.iterdir()) < 5_000_000
    sums = dict(
        line.split()[::-1] for line in (EMBEDDED_ROOT / 'sha256sums.txt').read_text().splitlines()
    )
    assert {path.stem for path in files} == set(sums)
    for path in files:
        assert hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest() == sums[path.stem]
    assert 'Permission is hereby granted' in (EMBEDDED_ROOT / 'LICENSE').read_text()


def test_splits_are_balanced_and_share_no_image():
    train, test = build(split='train'), build(split='test')
    assert (len(train), len(test)) == (6000, 2000)
    labels = [train.get_data_info(i)['gt_label'] for i in range(6000)]
    assert np.bincount(labels).tolist() == [600] * 10
    assert np.bincount([test.get_cat_ids(i)[0] for i in range(2000)]).tolist() == [200] * 10
    pictures = [
        data.get_data_info(i)['img'].tobytes() for data in (train, test) for i in range(len(data))
    ]
    assert len(set(pictures)) == 8000


def test_every_beginning_is_a_balanced_few_shot_set():
    whole = build()
    for size in (300, 600, 3000):
        part = build(indices=size)
        assert (
            np.bincount([part.get_cat_ids(i)[0] for i in range(size)]).tolist() == [size // 10] * 10
        )
        assert (part[size - 1]['img'] == whole[size - 1]['img']).all()
    other = build(indices=range(600, 1200))
    assert (other[0]['img'] == whole[600]['img']).all()


def test_classes_are_those_of_mmpretrain():
    from mmpretrain.datasets import FashionMNIST

    assert build(lazy_init=True).metainfo['classes'] == tuple(FashionMNIST.METAINFO['classes'])


def test_unknown_split_names_the_allowed_ones():
    with pytest.raises(ValueError, match="no split 'val'; .*allowed: train, test"):
        build(split='val')


@pytest.mark.parametrize(
    'name, size', [('fashion_mnist_embedded', 6000), ('fashion_mnist_few_shot', 600)]
)
def test_configs_load_batches(name, size):
    config = Config.fromfile(CONFIGS / f'{name}.py')
    loader = Runner.build_dataloader(config.train_dataloader)
    assert len(loader.dataset) == size
    batch = next(iter(loader))
    assert batch['inputs'].shape == (64, 1, 28, 28)
    assert len(Runner.build_dataloader(config.val_dataloader).dataset) == 2000


def test_normalisation_is_that_of_the_training_images():
    config = Config.fromfile(CONFIGS / 'fashion_mnist_embedded.py').data_preprocessor
    train = build()
    pixels = np.stack([train.get_data_info(i)['img'] for i in range(len(train))])
    assert abs(pixels.mean() - config['mean'][0]) < 0.5
    assert abs(pixels.std() - config['std'][0]) < 0.5
