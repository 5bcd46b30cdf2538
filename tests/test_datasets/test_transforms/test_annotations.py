"""Every kind of annotation in a pipeline's results stays where the image shows it."""

from __future__ import annotations

import numpy as np
import pytest
from mmdet.structures.bbox import HorizontalBoxes
from test_augment.helpers import draw_of

from .test_learned_augment import transform

HEIGHT, WIDTH = 48, 80
#: First and last column of the square that every kind of annotation marks.
FIRST, LAST = 16, 31


def square(dtype):
    marked = np.zeros((HEIGHT, WIDTH), dtype)
    marked[16:32, FIRST : LAST + 1] = 1
    return marked


def columns(marked):
    """First and last column in which something is set."""
    found = np.flatnonzero(marked.any(0))
    return int(found[0]), int(found[-1])


def box():
    return np.array([[FIRST, 16, LAST + 1, 32]], np.float32)


def box_columns(boxes):
    x1, _, x2, _ = np.asarray(getattr(boxes, 'tensor', boxes))[0]
    return round(float(x1)), round(float(x2)) - 1


def points_columns(points):
    return tuple(np.asarray(points)[0, :, 0].round().astype(int).tolist())


def keypoints():
    return np.array([[[FIRST, 20, 2.0], [LAST, 20, 2.0]]], np.float32)


#: By key: its value, and how the columns that it marks are read.
KINDS = {
    'gt_seg_map': (square(np.uint8), lambda found: columns(found == 1)),
    'gt_depth_map': (square(np.float32) * 5, columns),
    'gt_edge_map': (square(np.uint8), columns),
    'gt_bboxes': (box(), box_columns),
    'gt_keypoints': (keypoints(), points_columns),
    'proposals': (box(), box_columns),
    'boxes of mmdet': (HorizontalBoxes(box()), box_columns),
}


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('level', [-0.2, 0.5])
def test_it_follows_the_image(kind, level):
    value, read = KINDS[kind]
    key = kind if ' ' not in kind else 'proposals'
    image = np.repeat(square(np.uint8)[..., None] * 200, 3, 2)
    ours = transform()
    draw = draw_of(ours.augmenter, [(HEIGHT, WIDTH)], {'TranslateX': 1.0}, {'TranslateX': level})
    new = ours.apply({'img': image, 'gt_bboxes': box(), key: value}, draw)
    seen = columns(new['img'][..., 0] == 200)
    assert seen != (FIRST, LAST)
    assert np.abs(np.subtract(read(new[key]), seen)).max() <= 1
    assert np.abs(np.subtract(box_columns(new['gt_bboxes']), seen)).max() <= 1


def test_what_comes_from_outside_and_what_leaves():
    """No depth and no edge come from outside; what leaves is not seen, or goes."""
    ours = transform()
    draw = draw_of(ours.augmenter, [(HEIGHT, WIDTH)], {'TranslateX': 1.0}, {'TranslateX': 1.0})
    twice = np.concatenate([box(), box() + np.array([[44, 0, 44, 0]], np.float32)])
    results = {
        'img': np.zeros((HEIGHT, WIDTH, 3), np.uint8),
        'gt_depth_map': np.ones((HEIGHT, WIDTH), np.float32),
        'gt_edge_map': np.ones((HEIGHT, WIDTH), np.uint8),
        'gt_keypoints': np.array([[[4, 20, 2.0], [70, 20, 2.0]]], np.float32),
        'proposals': twice,
        'proposals_scores': np.array([0.9, 0.8], np.float32),
    }
    new = ours.apply(results, draw)
    assert not new['gt_depth_map'][:, :30].any() and not new['gt_edge_map'][:, :30].any()
    assert new['gt_keypoints'][0, :, 2].tolist() == [2, 0]
    assert len(new['proposals']) == 1
    np.testing.assert_allclose(new['proposals_scores'], [0.9])


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('gt_lines', np.zeros((3, 4), np.float32)),
        ('gt_heights', np.zeros((HEIGHT, WIDTH), np.float32)),
    ],
)
def test_what_may_lie_in_the_image_is_refused_by_name(key, value):
    ours = transform()
    draw = draw_of(ours.augmenter, [(HEIGHT, WIDTH)], {'TranslateX': 1.0}, {'TranslateX': 1.0})
    with pytest.raises(TypeError, match=f'{key} is an array of .*allowed: gt_bboxes'):
        ours.apply({'img': np.zeros((HEIGHT, WIDTH, 3), np.uint8), key: value}, draw)
