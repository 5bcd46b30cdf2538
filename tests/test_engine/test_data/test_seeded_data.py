"""Batches and draws that depend on the position only."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import BatchSampler, DataLoader

from tst_mm.engine.data.held_out import distinct_images
from tst_mm.engine.data.seeded_data import SeededBatches, seeded_dataset, seeded_loader
from tst_mm.engine.data.stream import Stream


class Noisy:
    """Gives the index and a draw from each of the generators that transforms use."""

    label = 'noisy'

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return index, float(np.random.rand()), float(torch.rand(()))


def batches_over(length, size, sampler=DefaultSampler, seed=3):
    return SeededBatches(BatchSampler(sampler(range(length), seed=seed), size, False), seed)


@settings(max_examples=30)
@given(
    length=st.integers(1, 30),
    size=st.integers(1, 7),
    last=st.integers(0, 40),
    first=st.integers(0, 40),
    stream=st.integers(-2, 3).map(Stream),
    sampler=st.sampled_from([DefaultSampler, InfiniteSampler]),
)
def test_any_step_continues_the_whole(length, size, last, first, stream, sampler):
    whole = batches_over(length, size, sampler)
    whole.select(stream, 0, last)
    part = batches_over(length, size, sampler)
    list(iter(part))  # what was read before does not matter
    part.select(stream, first, last)
    assert list(part) == list(whole)[first:]


def test_a_pass_cut_short_leaves_nothing_for_the_next():
    """Mmdet's batch sampler holds images back until a batch of their shape is full."""
    from mmdet.datasets.samplers import AspectRatioBatchSampler

    class Shapes(list):
        def get_data_info(self, index):
            return {'width': 1 + index % 2, 'height': 1.5}

    sampler = DefaultSampler(Shapes(range(11)), seed=3)
    batches = SeededBatches(AspectRatioBatchSampler(sampler, 2), seed=3)
    whole = list(batches)
    assert len({len(batch) for batch in whole}) > 1
    for last in (1, 2, 3):
        batches.select(Stream.STUDENT, 0, last)
        assert list(batches) == whole[:last]
    batches.select(Stream.STUDENT, 0, len(whole))
    assert list(batches) == whole


def test_a_pass_can_be_started_from():
    batches = batches_over(10, 4)
    batches.select(Stream.STUDENT, 0, 9)
    whole = list(batches)
    batches.select(Stream.STUDENT, 7, 9, turn=2)
    assert list(batches) == whole[7:]


def test_the_order_is_the_samplers():
    sampler = DefaultSampler(range(10), seed=5)
    sampler.set_epoch(1)
    batches = batches_over(10, 4, seed=5)
    batches.select(Stream.STUDENT, 3, 6, turn=1)
    assert [ticket[0] for batch in batches for ticket in batch] == list(sampler)


def test_streams_steps_and_places_draw_differently():
    batches = batches_over(10, 4)
    seeds, orders = set(), []
    for stream in (Stream.STUDENT, Stream.stage(0), Stream.REPORT):
        batches.select(stream, 0, 6)
        tickets = [ticket for batch in batches for ticket in batch]
        seeds |= {seed for _, seed, _ in tickets}
        orders.append([index for index, _, _ in tickets])
    assert len(seeds) == 3 * 20
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.parametrize('workers', [0, 2])
def test_samples_are_the_same_from_any_worker_and_step(workers):
    def samples(first, workers):
        loader = DataLoader(Noisy(12), batch_size=3, num_workers=workers)
        batches = batches_over(12, 3)
        batches.select(Stream.STUDENT, first, 8)
        return [[part.tolist() for part in batch] for batch in seeded_loader(loader, batches)]

    np.random.seed()
    whole = samples(0, 0)
    assert samples(5, workers) == whole[5:]
    assert len({draw for batch in whole for draw in batch[1]}) == 24


class Keeps:
    """Gives, like mmdet's CachedMosaic, each sample with one of those before it."""

    max_cached_images = 3

    def __init__(self):
        self.results_cache = []

    def __call__(self, index):
        self.results_cache = [*self.results_cache, index][-4:]
        return index, int(np.random.choice(self.results_cache))


class Mixed(Noisy):
    def __init__(self, length):
        super().__init__(length)
        self.pipeline = [Keeps()]

    def __getitem__(self, index):
        return self.pipeline[0](index)


@pytest.mark.parametrize('workers', [0, 2])
def test_a_pass_goes_on_with_the_images_that_transforms_would_have_kept(workers):
    def samples(first, meanwhile=False):
        loader = DataLoader(Mixed(12), batch_size=3, num_workers=workers)
        batches = batches_over(12, 3)
        loader = seeded_loader(loader, batches)
        if meanwhile:  # as a stage of the augmenter does
            batches.select(Stream.stage(0), 0, 2)
            list(loader)
        batches.select(Stream.STUDENT, first, 12)
        return [[part.tolist() for part in batch] for batch in loader]

    whole = samples(0)
    assert samples(8) == whole[8:] == samples(8, meanwhile=True)
    assert whole[0][1] != whole[0][0]  # the first sample of a pass too is mixed


def test_mixed_images_cannot_be_held_out():
    assert distinct_images(seeded_dataset(Mixed(12)).dataset) is None
    assert distinct_images(seeded_dataset(Noisy(3)).dataset) == 3


def test_dataset_is_otherwise_the_one_it_holds():
    inner = Noisy(3)
    dataset = seeded_dataset(inner)
    dataset.pipeline = 'new'
    assert (len(dataset), dataset.label, inner.pipeline) == (3, 'noisy', 'new')
    assert deepcopy({'dataset': dataset})['dataset'].dataset is inner
    assert pickle.loads(pickle.dumps(dataset)).pipeline == 'new'
    with pytest.raises(AttributeError, match='nothing'):
        dataset.nothing  # noqa: B018


def test_a_seed_means_the_same_numbers_in_every_release():
    """A checkpoint of an earlier release goes on with the draws that it would have had."""
    batches = batches_over(4, 4)
    found = []
    for stream in (Stream.STUDENT, Stream.stage(0), Stream.stage(5)):
        batches.select(stream, 1, 2)
        found += [[(index, seed) for index, seed, _ in batch] for batch in batches]
    assert found == [
        [(2, 3015199833), (1, 1918057123), (3, 3591082688), (0, 3257062602)],
        [(3, 384044725), (1, 4187728251), (2, 349005148), (0, 286239671)],
        [(1, 3558693645), (0, 1639422448), (2, 2526106244), (3, 1682720547)],
    ]
