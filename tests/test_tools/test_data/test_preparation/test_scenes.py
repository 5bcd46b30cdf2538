"""Composed scenes."""

import numpy as np
import pytest

from preparation.cutouts import CLASSES, Cutouts
from preparation.scenes import FRAGMENT, GROUND, SceneComposer

SIZE = (96, 144)


@pytest.fixture(scope='module')
def cutouts():
    return Cutouts('test')


@pytest.fixture(scope='module')
def scenes(cutouts):
    composer = SceneComposer(cutouts, SIZE, crowd_rate=0.5)
    return [composer.compose(np.random.default_rng(i)) for i in range(40)]


def test_shapes_are_closed_and_cover_the_item(cutouts):
    for index in range(50):
        shape = cutouts.shape(index)
        assert set(np.unique(shape)) <= {0, 1}
        assert shape[cutouts.images[index] > 8].all()
        assert 30 < shape.sum() < 28 * 28


def test_items_are_drawn_from_their_class(cutouts):
    random = np.random.default_rng(0)
    trousers, bags = CLASSES.index('trouser'), CLASSES.index('bag')
    assert {cutouts.draw(trousers, random) % 10 for _ in range(20)} == {1}
    assert {cutouts.draw(bags, random) % 10 for _ in range(20)} == {8}


def test_equal_seeds_make_equal_scenes(cutouts):
    composer = SceneComposer(cutouts, SIZE)
    one, same, other = (composer.compose(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (one.image == same.image).all() and (one.owner == same.owner).all()
    assert one.sources == same.sources
    assert (one.image != other.image).any()


def test_every_thing_is_seen(scenes):
    for scene in scenes:
        assert scene.image.shape == (*SIZE, 3) and scene.image.dtype == np.uint8
        assert scene.owner.min() >= FRAGMENT and scene.owner.max() < len(scene.things)
        for mark, thing in enumerate(scene.things):
            visible = (scene.owner == mark).sum()
            assert thing.crowd or visible >= max(30, 0.35 * thing.area)


def test_scenes_have_what_makes_them_hard(scenes):
    """Clutter, occlusion, cut things, small and large ones, crowds, all classes."""
    things = [(scene, mark, thing) for scene in scenes for mark, thing in enumerate(scene.things)]
    single = [item for item in things if not item[2].crowd]
    hidden = [1 - (scene.owner == mark).sum() / thing.area for scene, mark, thing in single]
    assert np.mean(np.array(hidden) > 0.2) > 0.1
    areas = [thing.area for *_, thing in single]
    assert np.percentile(areas, 90) > 4 * np.percentile(areas, 10)
    assert {thing.label for *_, thing in single} == set(range(len(CLASSES)))
    assert 5 < sum(thing.crowd for *_, thing in things) < 35
    assert all(len(thing.sources) >= 6 for *_, thing in things if thing.crowd)
    assert np.mean([(scene.owner == FRAGMENT).any() for scene in scenes]) > 0.8


def test_label_map_names_classes_and_ignores_fragments(scenes):
    for scene in scenes[:10]:
        labels = scene.label_map()
        assert labels.dtype == np.uint8
        assert (labels[scene.owner == GROUND] == 0).all()
        assert (labels[scene.owner == FRAGMENT] == 255).all()
        for mark, thing in enumerate(scene.things):
            assert (labels[scene.owner == mark] == thing.label + 1).all()


def test_sources_name_every_item_used(scenes):
    for scene in scenes:
        used = [item for thing in scene.things for item in thing.sources]
        assert set(used) <= set(scene.sources)
        assert len(scene.sources) >= len(used) + 2  # fragments


def test_labels_lie_where_the_image_shows_the_items(scenes):
    """The image changes most where one thing ends and another begins."""
    at_edges, elsewhere = [], []
    for scene in scenes:
        gradient = np.abs(np.diff(scene.image.astype(float), axis=1)).mean(axis=2)
        edge = scene.owner[:, 1:] != scene.owner[:, :-1]
        at_edges.append(gradient[edge].mean())
        elsewhere.append(gradient[~edge].mean())
    assert np.mean(at_edges) > 2 * np.mean(elsewhere)
