"""Few-shot parts of a data set."""

import numpy as np
import pytest
from mmengine.dataset import BaseDataset

from tst_mm.registry import DATASETS

EMBEDDED = {
    'type': 'tst_mm.EmbeddedFashionMNIST',
    'split': 'test',
    'pipeline': [{'type': 'mmpretrain.PackInputs'}],
}


def build(**options):
    return DATASETS.build({'type': 'tst_mm.BalancedSubset', 'dataset': EMBEDDED, **options})


def contents(dataset):
    return [dataset.get_data_info(i)['img'].tobytes() for i in range(len(dataset))]


def test_every_class_keeps_its_part_and_samples_stay_what_they_are():
    subset = build(fraction=0.1)
    assert len(subset) == 200 and type(subset).__name__ == 'EmbeddedFashionMNIST'
    labels = [subset.get_data_info(i)['gt_label'] for i in range(200)]
    assert np.bincount(labels).tolist() == [20] * 10
    sample = subset[7]
    assert int(sample['data_samples'].gt_label) == labels[7]
    assert (sample['inputs'][0].numpy() == subset.get_data_info(7)['img']).all()


def test_seed_decides_and_parts_are_nested():
    small, large = set(contents(build(fraction=0.1))), set(contents(build(fraction=0.25)))
    assert small < large
    assert contents(build(fraction=0.1)) == contents(build(fraction=0.1, seed=0))
    assert small != set(contents(build(fraction=0.1, seed=1)))


def test_unbalanced_classes_keep_at_least_one_image():
    class Unbalanced(BaseDataset):
        def load_data_list(self):
            return [{'gt_label': int(i >= 97)} for i in range(100)]

    subset = build(dataset=Unbalanced(), fraction=0.01)
    assert sorted(subset.get_data_info(i)['gt_label'] for i in range(len(subset))) == [0, 1]


@pytest.mark.parametrize('fraction', [0, 1.5, -0.1, True])
def test_wrong_fraction(fraction):
    with pytest.raises(ValueError, match=f'fraction is {fraction!r}; allowed'):
        build(fraction=fraction)


def test_samples_without_a_class():
    class Unlabelled(BaseDataset):
        def load_data_list(self):
            return [{'gt_label': [1, 2]}]

    with pytest.raises(ValueError, match=r'Unlabelled has gt_label \[1, 2\]; allowed'):
        build(dataset=Unlabelled(), fraction=0.5)
