"""Orders whose beginnings are balanced."""

import numpy as np

from tst_mm.datasets.balance import balanced_order


def test_beginnings_hold_every_class_equally_often_while_it_lasts():
    labels = np.repeat([0, 1, 2], [5, 50, 20])
    order = balanced_order(labels, seed=0)
    assert sorted(order.tolist()) == list(range(75))
    assert np.bincount(labels[order[:15]]).tolist() == [5, 5, 5]
    assert np.bincount(labels[order[:25]]).tolist() == [5, 10, 10]


def test_seed_decides():
    labels = np.arange(100) % 4
    assert (balanced_order(labels, 1) == balanced_order(labels, 1)).all()
    assert (balanced_order(labels, 1) != balanced_order(labels, 2)).any()


def test_no_samples():
    assert balanced_order([], seed=0).tolist() == []
