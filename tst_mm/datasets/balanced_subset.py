"""A few-shot part of a classification data set, the same for everybody with the same seed."""

from collections.abc import Mapping
from typing import Any

from mmengine.dataset import BaseDataset

from tst_mm.registry import DATASETS

from .balance import balanced_order


@DATASETS.register_module(name='BalancedSubset')
def balanced_subset(
    dataset: Mapping[str, Any] | BaseDataset, fraction: float, seed: int = 0
) -> BaseDataset:
    """Keep a part of a data set that holds each class equally often.

    A smaller part is contained in a larger one of the same seed. What is built is the data set
    itself, not a wrapper, so everything that works on it works on its part.

    Args:
        dataset: The config of a data set whose samples have one ``gt_label``, or a built one.
        fraction: The part of the images to keep, above 0, at most 1. At least one image of each
            class is kept.
        seed: The seed of the choice. Defaults to 0, whatever the seed of the run is.

    Raises:
        ValueError: The fraction is outside of its range, or samples have no single class.

    Example:
        >>> dict(type='tst_mm.BalancedSubset', fraction=0.1,
        ...      dataset=dict(type='mmpretrain.CIFAR100', data_root='data/cifar100', pipeline=[]))
    """
    if isinstance(fraction, bool) or not 0 < fraction <= 1:
        raise ValueError(f'fraction is {fraction!r}; allowed: above 0, at most 1')
    built = DATASETS.build(dataset) if isinstance(dataset, Mapping) else dataset
    built.full_init()
    labels = [built.get_data_info(i).get('gt_label') for i in range(len(built))]
    wrong = [label for label in labels if not isinstance(label, int)]
    if wrong:
        raise ValueError(
            f'{type(built).__name__} has gt_label {wrong[0]!r}; allowed: data sets with one class '
            f'an image'
        )
    count = max(round(fraction * len(labels)), len(set(labels)))
    return built.get_subset(balanced_order(labels, seed)[:count].tolist())
