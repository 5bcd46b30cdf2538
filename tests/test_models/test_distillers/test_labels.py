"""mmdet's data samples follow a draw."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.structures import InstanceData, PixelData

from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.draw import compose
from tst_mm.models.distillers.labels import move_labels


def sample(height, width, boxes, labels=None, masks=None, ignored=()):
    from mmdet.structures import DetDataSample

    data = DetDataSample(metainfo=dict(img_shape=(height, width)))
    boxes = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    labels = torch.arange(len(boxes)) if labels is None else torch.tensor(labels)
    data.gt_instances = InstanceData(bboxes=boxes, labels=labels)
    if masks is not None:
        data.gt_instances.masks = masks
    data.ignored_instances = InstanceData(
        bboxes=torch.tensor(ignored, dtype=torch.float32).view(-1, 4)
    )
    return data


def draw_of(sizes, **levels):
    """A draw in which only the named operators act, at the given levels, on all images."""
    augmenter = LearnedAugmenter()
    draw = augmenter.draw(sizes)
    gates, level = torch.zeros_like(draw.gates), torch.zeros_like(draw.levels)
    for name, value in levels.items():
        i = augmenter.policy.names.index(name)
        gates[:, i], level[:, i] = 1, value
    every = tuple(range(len(sizes)))
    return replace(
        draw,
        gates=gates,
        levels=level,
        matrix=compose(draw.operators, gates, level, draw.extents),
        moved_images=every,
    )


def bitmaps(height, width, boxes):
    from mmdet.structures.mask import BitmapMasks

    data = np.zeros((len(boxes), height, width), np.uint8)
    for bitmap, (x1, y1, x2, y2) in zip(data, boxes, strict=True):
        bitmap[y1:y2, x1:x2] = 1
    return BitmapMasks(data, height, width)


@given(
    shear=st.floats(-1, 1),
    shift=st.floats(-0.3, 0.3),
    height=st.integers(60, 90),
    width=st.integers(60, 90),
)
def test_box_contains_its_warped_mask_within_a_pixel(shear, shift, height, width):
    boxes = [[25, 25, 40, 45]]
    given_sample = sample(height, width, boxes, masks=bitmaps(height, width, boxes))
    draw = draw_of([(height, width)], ShearX=shear, ShearY=shear / 2, TranslateX=shift)
    moved = move_labels([given_sample], draw, 1, 0.1)[0].gt_instances
    if not len(moved):
        return
    rows, columns = np.nonzero(moved.masks.masks[0])
    x1, y1, x2, y2 = moved.bboxes[0].tolist()
    if x1 > 0 and x2 < width and y1 > 0 and y2 < height:  # wholly inside
        assert abs(columns.min() - x1) <= 1 and abs(columns.max() + 1 - x2) <= 1
        assert abs(rows.min() - y1) <= 1 and abs(rows.max() + 1 - y2) <= 1


LEVEL = st.floats(0.05, 1) | st.floats(-1, -0.05)  # the identity leaves even odd boxes alone


@given(
    rotate=LEVEL,
    shift_x=LEVEL,
    shift_y=LEVEL,
    boxes=st.lists(
        st.tuples(*[st.integers(-5, 70) for _ in range(4)]).map(
            lambda b: [min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])]
        ),
        max_size=6,
    ),
)
def test_any_boxes_stay_inside_the_valid_image_or_go(rotate, shift_x, shift_y, boxes):
    """Also empty annotations, zero-area boxes and boxes that reach outside."""
    sizes = [(50, 61), (33, 64)]
    samples = [sample(*size, boxes, ignored=boxes[:1]) for size in sizes]
    before = copy.deepcopy(samples)
    draw = draw_of(sizes, Rotate=rotate, TranslateX=shift_x, TranslateY=shift_y)
    for old, given_sample, new, (height, width) in zip(
        before, samples, move_labels(samples, draw, 1, 0.1), sizes, strict=True
    ):
        assert torch.equal(old.gt_instances.bboxes, given_sample.gt_instances.bboxes)
        for instances in (new.gt_instances, new.ignored_instances):
            kept = instances.bboxes
            assert (kept >= 0).all() and (kept[:, ::2] <= width).all()
            assert (kept[:, 1::2] <= height).all()
            assert ((kept[:, 2:] - kept[:, :2]) >= 1).all()
        assert len(new.gt_instances.labels) == len(new.gt_instances.bboxes)
        assert new.metainfo == old.metainfo


def test_labels_go_with_their_boxes():
    boxes = [[2, 2, 12, 12], [45, 20, 58, 40], [20, 20, 30, 30]]
    draw = draw_of([(60, 60)], TranslateX=1.0)  # 27 pixels to the right
    moved = move_labels([sample(60, 60, boxes, labels=[7, 8, 9])], draw, 1, 0.1)[0]
    assert moved.gt_instances.labels.tolist() == [7, 9]
    shift = 60 * 150 / 331
    expected = torch.tensor([[2 + shift, 2, 12 + shift, 12], [20 + shift, 20, 30 + shift, 30]])
    assert torch.allclose(moved.gt_instances.bboxes, expected, atol=1e-4)


def test_barely_visible_boxes_go():
    boxes = [[0, 20, 20, 40]]
    draw = draw_of([(60, 60)], TranslateX=-0.6)  # 16.3 pixels to the left: 18 % stay
    given_sample = sample(60, 60, boxes)
    assert len(move_labels([given_sample], draw, 1, 0.1)[0].gt_instances) == 1
    assert len(move_labels([given_sample], draw, 1, 0.3)[0].gt_instances) == 0
    assert len(move_labels([given_sample], draw, 5, 0.1)[0].gt_instances) == 0


def test_polygons_move_exactly():
    from mmdet.structures.mask import PolygonMasks

    square = np.array([10.0, 10, 30, 10, 30, 30, 10, 30])
    masks = PolygonMasks([[square]], 60, 60)
    draw = draw_of([(60, 60)], TranslateY=0.5)
    moved = move_labels([sample(60, 60, [[10, 10, 30, 30]], masks=masks)], draw, 1, 0.1)
    shift = 60 * 150 / 331 / 2
    expected = square + np.array([0, shift] * 4)
    polygon = moved[0].gt_instances.masks.masks[0][0]
    assert np.allclose(polygon, expected, atol=1e-4)
    box = moved[0].gt_instances.bboxes[0]
    assert np.allclose([polygon[::2].min(), polygon[1::2].min()], box[:2], atol=1e-4)


def test_box_structures_and_semantic_maps_keep_their_kind():
    from mmdet.structures.bbox import HorizontalBoxes

    given_sample = sample(40, 40, [[10, 10, 20, 20]])
    given_sample.gt_instances.bboxes = HorizontalBoxes(given_sample.gt_instances.bboxes)
    given_sample.gt_sem_seg = PixelData(data=torch.ones(1, 40, 40, dtype=torch.uint8))
    draw = draw_of([(40, 40)], TranslateX=0.5)
    moved = move_labels([given_sample], draw, 1, 0.1)[0]
    assert isinstance(moved.gt_instances.bboxes, HorizontalBoxes)
    assert set(moved.gt_sem_seg.data.unique().tolist()) == {1, 255}
    assert (given_sample.gt_sem_seg.data == 1).all()


def test_no_geometry_gives_the_same_objects_back():
    samples = [sample(40, 40, [[10, 10, 20, 20]])]
    draw = replace(draw_of([(40, 40)]), moved_images=())
    assert move_labels(samples, draw, 1, 0.1)[0] is samples[0]


@pytest.mark.parametrize('level', [-1.0, 1.0])
def test_rotated_box_has_its_closed_form(level):
    draw = draw_of([(80, 80)], Rotate=level)
    moved = move_labels([sample(80, 80, [[30, 35, 50, 45]])], draw, 1, 0.1)[0]
    x1, y1, x2, y2 = moved.gt_instances.bboxes[0].tolist()
    cos, sin = np.cos(np.pi / 6), np.sin(np.pi / 6)
    assert np.isclose(x2 - x1, 20 * cos + 10 * sin, atol=1e-4)
    assert np.isclose(y2 - y1, 10 * cos + 20 * sin, atol=1e-4)
