"""mmdet's data samples follow a draw."""

import copy
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.structures import InstanceData, PixelData
from torch.overrides import TorchFunctionMode

from benchmarks.cost.counters import Launches, NoWaits
from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.draw import compose
from tst_mm.models.distillers.labels import fresh, move_labels


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


# Other fields, by what they are -----------------------------------------------------------------


def moved_by(pixels, given_sample, **options):
    """The sample after a shift to the right, in a batch of one."""
    draw = draw_of([given_sample.img_shape], TranslateX=0.5)
    matrix = torch.eye(3)[None].clone()
    matrix[0, 0, 2] = pixels
    return move_labels([given_sample], replace(draw, matrix=matrix), **options)[0]


def block(height=32, width=48, first=8, last=16, dtype=torch.long):
    """(1, H, W) of 1 in some columns."""
    label_map = torch.zeros(1, height, width, dtype=dtype)
    label_map[..., first:last] = 1
    return label_map


def test_pixel_data_of_any_name_moves():
    given_sample = sample(32, 48, [[8, 4, 16, 20]])
    given_sample.gt_sem_seg = PixelData(sem_seg=block())
    given_sample.gt_edge_map = PixelData(data=block())
    given_sample.gt_depth = PixelData(data=block(dtype=torch.float))
    given_sample.mask = block(dtype=torch.bool)
    new = moved_by(12, given_sample, ignore_index=9)
    expected = block(first=20, last=28)
    outside = torch.arange(48) < 12
    for found, fill in (
        (new.gt_sem_seg.sem_seg, 9),
        (new.gt_edge_map.data, 0),
        (new.gt_depth.data, 0),
        (new.mask, 0),
    ):
        assert torch.equal(found, torch.where(outside, fill, expected).to(found.dtype))
    assert torch.equal(given_sample.gt_sem_seg.sem_seg, block())


def test_maps_of_a_lower_resolution_move_by_their_share():
    """As BoxInst's masks, of a quarter of the padded batch."""
    given_sample = sample(32, 48, [[8, 4, 16, 20]])
    given_sample.set_metainfo(dict(batch_input_shape=(32, 64)))
    given_sample.gt_instances.masks = block(8, 16, 2, 4)
    given_sample.gt_instances.pairwise_masks = block(8, 16, 2, 4).repeat(1, 8, 1, 1)
    things = moved_by(12, given_sample).gt_instances
    assert things.bboxes.tolist() == [[20, 4, 28, 20]]
    assert torch.equal(things.masks, block(8, 16, 5, 7))
    assert torch.equal(things.pairwise_masks[0, 3], block(8, 16, 5, 7)[0])


def test_key_points_and_proposals_move():
    given_sample = sample(32, 48, [[8, 4, 16, 20], [20, 4, 30, 20]])
    points = torch.tensor([[[8.0, 4, 2], [40, 4, 1]], [[20, 4, 2], [30, 20, 2]]])
    given_sample.gt_instances.keypoints = points
    given_sample.proposals = InstanceData(
        bboxes=torch.tensor([[8.0, 4, 16, 20], [40, 0, 48, 10]]), scores=torch.tensor([0.5, 0.7])
    )
    new = moved_by(12, given_sample)
    expected = [[[20, 4, 2], [52, 4, 0]], [[32, 4, 2], [42, 20, 2]]]
    assert new.gt_instances.keypoints.tolist() == expected
    assert new.proposals.bboxes.tolist() == [[20, 4, 28, 20]]
    assert new.proposals.scores.tolist() == [0.5]


def test_instances_with_masks_alone_move():
    given_sample = sample(32, 48, [])
    given_sample.gt_instances = InstanceData(
        labels=torch.tensor([3, 4]), masks=bitmaps(32, 48, [[8, 4, 16, 20], [40, 4, 46, 20]])
    )
    things = moved_by(12, given_sample).gt_instances
    assert things.labels.tolist() == [3]
    assert np.flatnonzero(things.masks.masks[0].any(0)).tolist() == list(range(20, 28))


def test_what_may_be_a_place_is_refused_by_name():
    given_sample = sample(32, 48, [[8, 4, 16, 20]])
    given_sample.gt_instances.priors = torch.rand(1, 4)
    with pytest.raises(TypeError, match=r'gt_instances\.priors are \(1, 4\) floats.*allowed'):
        moved_by(12, given_sample)


def test_consumers_get_containers_of_their_own():
    given_sample = sample(32, 48, [[8, 4, 16, 20]])
    for consumer in fresh([given_sample]):
        assert consumer.metainfo == given_sample.metainfo
        consumer.gt_instances.masks = torch.zeros(1)
        consumer.pred_instances = InstanceData()
        consumer.set_metainfo(dict(scale=2))
    assert 'masks' not in given_sample.gt_instances
    assert 'pred_instances' not in given_sample and 'scale' not in given_sample
    assert consumer.gt_instances.bboxes is given_sample.gt_instances.bboxes


def test_labels_on_the_host_stay_there_when_the_draw_is_on_a_device():
    from mmdet.structures.mask import PolygonMasks

    boxes = [[4, 4, 20, 24], [30, 10, 44, 20]]
    polygons = [[np.array([4.0, 4, 20, 4, 20, 24])], [np.array([30.0, 10, 44, 10, 44, 20])]]
    samples = [
        sample(48, 64, boxes, masks=bitmaps(48, 64, boxes)),
        sample(48, 64, boxes, masks=PolygonMasks(polygons, 48, 64)),
    ]
    for data in samples:
        data.gt_sem_seg = PixelData(data=torch.arange(48 * 64).view(1, 48, 64))
    draw = draw_of([(48, 64)] * 2, Rotate=0.5, TranslateX=0.1)
    launches = Launches('meta')
    with NoWaits(), launches:
        moved = move_labels(samples, draw.to('meta'))
    # The copy is that of the draw.
    assert (launches.total, launches.copies) == (0, 1)
    for new, old in zip(moved, move_labels(samples, draw), strict=True):
        assert torch.equal(new.gt_instances.bboxes, old.gt_instances.bboxes)
        assert torch.equal(new.gt_sem_seg.data, old.gt_sem_seg.data)
    assert np.array_equal(
        moved[0].gt_instances.masks.masks,
        move_labels(samples, draw)[0].gt_instances.masks.masks,
    )


def test_what_is_kept_is_read_once_for_all_images():
    class Reads(TorchFunctionMode):
        names = Counter()

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.names[getattr(func, '__name__', '')] += 1
            masked = func is torch.Tensor.__getitem__ and isinstance(args[1], torch.Tensor)
            self.names['masked'] += masked and args[1].dtype is torch.bool
            return func(*args, **(kwargs or {}))

    boxes = [[4, 4, 20, 24], [30, 10, 44, 20]]
    samples = [sample(48, 64, boxes, masks=bitmaps(48, 64, boxes)) for _ in range(3)]
    for data in samples:
        del data.ignored_instances
    with Reads() as reads:
        move_labels(samples, draw_of([(48, 64)] * 3, Rotate=0.5))
    assert (reads.names['cpu'], reads.names['masked']) == (1, 0)
