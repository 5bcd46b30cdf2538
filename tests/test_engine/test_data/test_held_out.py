"""A slice of images that the student does not see, and looks at it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.dataset import BaseDataset, ClassBalancedDataset, ConcatDataset, RepeatDataset

from tst_mm.engine.data import held_out as module
from tst_mm.engine.data.held_out import HeldOut, LookBatches, distinct_images
from tst_mm.engine.data.seeded_data import seeded_dataset


def slice_of(size=100, count=20, seed=3, release=50):
    return HeldOut(size, count, seed, release)


@given(st.integers(2, 300), st.data())
def test_the_slice_and_the_rest_are_all_images(size, data):
    count = data.draw(st.integers(1, size - 1))
    held = HeldOut(size, count, data.draw(st.integers(0, 99)), 10)
    assert len(held.indices) == count
    assert sorted(held.indices + held.rest) == list(range(size))


def test_the_slice_depends_on_the_seed_only():
    assert slice_of().indices == slice_of(release=7).indices
    assert slice_of().indices != slice_of(seed=4).indices


def test_substitutes_until_the_release():
    held = slice_of()
    for step in (0, 49):
        for place, index in enumerate(range(100)):
            found = held.substitute(index, step, place)
            if index in held.rest:
                assert found == index
            else:
                assert found in held.rest
                assert held.substitute(index, step, place) == found
    assert [held.substitute(index, 50, 0) for index in range(100)] == list(range(100))


def test_substitutes_differ():
    """By step and by place in the batch: no image is shown more than others for long."""
    held = slice_of()
    index = held.indices[0]
    found = {held.substitute(index, step, place) for step in range(50) for place in range(20)}
    assert len(found) == len(held.rest)


def test_repetitions_of_a_held_out_image_are_held_out():
    held = slice_of()
    assert held.substitute(held.indices[0] + 300, 0, 0) in held.rest
    assert held.substitute(held.rest[0] + 300, 0, 0) == held.rest[0] + 300


def looks(held=None, images=8, first=0, last=4):
    return [batch for batch in LookBatches(held or slice_of(), images, first, last)]


def test_looks_are_at_seen_then_at_unseen_images():
    held, found = slice_of(), looks()
    assert len(found) == len(LookBatches(held, 8, 0, 4)) == 8
    for batch, allowed in zip(found, [held.rest, held.indices] * 4, strict=True):
        indices = [index for index, _ in batch]
        assert len(set(indices)) == 8 and set(indices) <= set(allowed)
    assert len({tuple(batch) for batch in found}) == 8


def test_looks_go_on_where_they_were():
    assert looks(first=2) == looks()[4:]


def test_ranks_share_out_a_look(monkeypatch):
    whole = looks()
    monkeypatch.setattr(module, 'get_world_size', lambda: 3)
    parts = []
    for rank in range(3):
        monkeypatch.setattr(module, 'get_rank', lambda rank=rank: rank)
        parts.append(looks())
    for batch, *shares in zip(whole, *parts, strict=True):
        assert sorted(sum(shares, [])) == sorted(batch)


def test_a_look_at_fewer_images_than_ranks(monkeypatch):
    monkeypatch.setattr(module, 'get_world_size', lambda: 4)
    monkeypatch.setattr(module, 'get_rank', lambda: 3)
    assert all(len(batch) == 1 for batch in looks(images=2))


class Plain(BaseDataset):
    """A data set of five images."""

    def load_data_list(self):
        return [{'image': i} for i in range(5)]

    def get_cat_ids(self, index):
        return [0]


class Mixing(Plain):
    """As mmdet's ``MultiImageMixDataset``, which has another data set in it."""

    load_data_list = property()

    def __init__(self):
        self.dataset = Plain()
        self._metainfo, self._fully_initialized = {}, True

    def __len__(self):
        return 5


@pytest.mark.parametrize(
    ('make', 'expected'),
    [
        (Plain, 5),
        (lambda: RepeatDataset(Plain(), 3), 5),
        (lambda: ConcatDataset([Plain(), Plain()]), 10),
        (Mixing, None),
        (lambda: RepeatDataset(Mixing(), 3), None),
        (lambda: ClassBalancedDataset(Plain(), 1e-3), None),
        (lambda: ConcatDataset([Plain(), Mixing()]), None),
    ],
)
def test_distinct_images(make, expected):
    assert distinct_images(make()) == expected


def test_what_takes_the_place_of_a_broken_image_is_held_out_as_it_was():
    """Indices beyond the size are repetitions."""
    held = slice_of(size=10, count=4)

    class Broken:
        def __len__(self):
            return 20

        def __getitem__(self, index):
            if len(asked) < 3:
                asked.append(index)
                raise OSError('broken')
            return index

    for index in range(20):
        asked = []
        dataset = seeded_dataset(Broken(), max_corrupt=99)
        dataset.held_out = held
        found = dataset[index, 0]
        assert {held.holds(i) for i in (*asked, found)} == {held.holds(index)}
        assert len({*asked, found}) == 4
