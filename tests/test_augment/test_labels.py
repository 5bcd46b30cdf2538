"""Labels follow the geometry: boxes, masks and label maps, against closed forms and images."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tst_mm.augment import move_boxes, move_maps, move_masks, move_points
from tst_mm.augment.warp import warp_images

from .helpers import about_centre, rotation, shift

IGNORE = 255
SQUARE = torch.tensor([[100.0, 100.0]])


def boxes_of(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def move(boxes, matrix, extents=SQUARE, **kwargs):
    count = len(boxes)
    return move_boxes(boxes, matrix.expand(count, 3, 3), extents.expand(count, 2), **kwargs)


def blobs(height, width, classes=5, seed=0):
    """(1, H, W) uint8 label map of large regions, with an ignored stripe."""
    torch.manual_seed(seed)
    coarse = torch.randint(0, classes, (1, 1, height // 8 + 1, width // 8 + 1)).float()
    labels = torch.nn.functional.interpolate(coarse, size=(height, width), mode='nearest')
    labels[..., height // 2 : height // 2 + 3] = IGNORE
    return labels[0].byte()


def map_through(maps, matrix, extents=None, fill=IGNORE):
    extents = torch.tensor([maps.shape[-2:]]) if extents is None else extents
    return move_maps(maps, matrix.expand(len(maps), 3, 3), extents.expand(len(maps), 2), fill)


# Points


def test_points():
    points = torch.tensor([[[10.0, 20.0], [50.0, 50.0]]], dtype=torch.float64)
    moved = move_points(points, rotation(90, 100, 100))
    torch.testing.assert_close(moved, torch.tensor([[[80.0, 10.0], [50.0, 50.0]]]).double())
    assert move_points(points.float(), rotation(90, 100, 100)).dtype is torch.float32


# Boxes


@pytest.mark.parametrize('degrees', [-30.0, -7.0, 0.0, 15.0, 30.0, 90.0])
def test_centred_box_under_rotation(degrees):
    """On a square image w' = w |cos| + h |sin|."""
    width, height, angle = 30.0, 16.0, math.radians(degrees)
    box = boxes_of([50 - width / 2, 50 - height / 2, 50 + width / 2, 50 + height / 2])
    moved, keep = move(box, rotation(degrees, 100, 100))
    new_width = width * abs(math.cos(angle)) + height * abs(math.sin(angle))
    new_height = width * abs(math.sin(angle)) + height * abs(math.cos(angle))
    expected = boxes_of(
        [50 - new_width / 2, 50 - new_height / 2, 50 + new_width / 2, 50 + new_height / 2]
    )
    torch.testing.assert_close(moved, expected, atol=1e-9, rtol=0)
    assert keep.all()


def test_shift_is_cut_at_the_valid_image():
    box = boxes_of([10, 10, 30, 40])
    moved, keep = move(box, shift(75, 0))
    assert moved.tolist() == [[85, 10, 100, 40]] and keep.all()
    narrow, _ = move(box, shift(75, 0), torch.tensor([[100.0, 90.0]]))
    assert narrow.tolist() == [[85, 10, 90, 40]]


@pytest.mark.parametrize(('x', 'kept'), [(80, True), (88, True), (89, False), (120, False)])
def test_a_box_that_is_hardly_visible_is_dropped(x, kept):
    """20 wide at x = 10: ten per cent are two pixels, still inside at a shift of 88."""
    assert move(boxes_of([10, 10, 30, 40]), shift(x, 0))[1].item() is kept


@pytest.mark.parametrize(('side', 'kept'), [(0.0, False), (0.9, False), (1.0, True)])
def test_a_tiny_box_is_dropped_once_it_moves(side, kept):
    moved, keep = move(boxes_of([10, 10, 10 + side, 40]), shift(3, 0))
    assert keep.item() is kept and moved.isfinite().all()


def test_limits_are_the_callers():
    box = boxes_of([90, 10, 95, 40])
    assert not move(box, shift(6, 0), min_size=4.5)[1].any()
    assert not move(box, shift(6, 0), min_visible=0.9)[1].any()
    assert move(box, shift(6, 0), min_size=3.5, min_visible=0.7)[1].all()


def test_the_identity_keeps_every_box_as_it_is():
    """Also one below the size limit, without area, or beyond the image: nothing moved."""
    boxes = boxes_of([1.5, 2.5, 30.25, 40], [5, 5, 5.5, 5.5], [7, 7, 7, 7], [-3, 90, 20, 130])
    moved, keep = move(boxes, torch.eye(3))
    assert torch.equal(moved, boxes) and keep.all()
    mixed, keep = move_boxes(
        boxes[[1, 1]],
        torch.cat([torch.eye(3).double()[None], shift(1, 0)]),
        SQUARE.expand(2, 2),
    )
    assert torch.equal(mixed[0], boxes[1]) and keep.tolist() == [True, False]


def test_no_boxes():
    moved, keep = move(torch.zeros(0, 4), torch.eye(3)[None])
    assert moved.shape == (0, 4) and keep.shape == (0,)


@given(
    corner=st.tuples(st.floats(-50, 150), st.floats(-50, 150)),
    side=st.tuples(st.floats(0, 120), st.floats(0, 120)),
    degrees=st.floats(-90, 90),
    extent=st.tuples(st.integers(1, 100), st.integers(1, 100)),
)
@settings(max_examples=100, deadline=None)
def test_moved_boxes_are_ordered_inside_and_finite(corner, side, degrees, extent):
    box = torch.tensor([[*corner, corner[0] + side[0], corner[1] + side[1]]])
    moved, keep = move(box, rotation(degrees, *extent), torch.tensor([extent]).float())
    assert moved.isfinite().all()
    if abs(degrees) > 0.01:
        assert (moved >= 0).all()
        assert (moved[0, [2, 3]] <= torch.tensor([extent[1], extent[0]])).all()
        assert (moved[0, 2:] >= moved[0, :2]).all()
        assert not keep.any() or (moved[0, 2:] - moved[0, :2]).min() >= 1


def test_boxes_are_exact_under_mixed_precision():
    boxes, matrix = torch.tensor([[703.3, 101.7, 1207.9, 655.1]]), rotation(11, 800, 1333).float()
    extents = torch.tensor([[800.0, 1333.0]])
    exact = move(boxes, matrix, extents)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = move(boxes, matrix, extents)
    assert torch.equal(exact[0], mixed[0]) and mixed[0].dtype is torch.float32


# Masks and label maps


@given(
    st.integers(1, 20), st.integers(1, 20), st.sampled_from([torch.uint8, torch.int64, torch.bool])
)
@settings(max_examples=30, deadline=None)
def test_the_identity_keeps_maps(height, width, dtype):
    maps = torch.randint(0, 2, (2, height, width)).to(dtype)
    moved = map_through(maps, torch.eye(3)[None], fill=0)
    assert torch.equal(moved, maps) and moved.dtype is dtype


@pytest.mark.parametrize('x', [-20, 20])
def test_a_shift_by_half_the_width_ignores_half(x):
    moved = map_through(torch.ones(1, 30, 40, dtype=torch.uint8), shift(x, 0))
    half = moved[..., :20] if x > 0 else moved[..., 20:]
    assert (half == IGNORE).all() and (moved == IGNORE).sum() == 600


def test_ignored_stays_ignored():
    labels = torch.zeros(1, 20, 20, dtype=torch.int64)
    labels[:, 4:9, 6:11] = IGNORE
    moved = map_through(labels, shift(3, -2))
    expected = torch.zeros_like(labels)
    expected[:, 2:7, 9:14] = IGNORE
    expected[:, 18:], expected[..., :3] = IGNORE, IGNORE
    assert torch.equal(moved, expected)


@given(
    degrees=st.floats(-90, 90),
    tangent=st.floats(-1, 1),
    x=st.floats(-70, 70),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    valid=st.tuples(st.floats(0.1, 1), st.floats(0.1, 1)),
)
@settings(max_examples=60, deadline=None)
def test_no_class_is_created(degrees, tangent, x, height, width, valid):
    """Only what the valid area held, and the fill; the padding stays as it is."""
    labels = torch.randint(10, 15, (1, height, width), dtype=torch.uint8)
    rows, columns = max(1, int(valid[0] * height)), max(1, int(valid[1] * width))
    labels[:, rows:], labels[..., columns:] = 77, 77
    matrix = shift(x, 0) @ rotation(degrees, rows, columns)
    matrix = about_centre([[1, tangent], [0, 1]], rows, columns) @ matrix
    moved = map_through(labels, matrix, torch.tensor([[rows, columns]]))
    inside = moved[:, :rows, :columns]
    allowed = {*labels[:, :rows, :columns].unique().tolist(), IGNORE}
    assert set(inside.unique().tolist()) <= allowed
    assert (moved[:, rows:] == 77).all() and (moved[..., columns:] == 77).all()


@pytest.mark.parametrize('degrees', [-30.0, 10.0, 45.0])
def test_maps_follow_the_image(degrees):
    """Where one class clearly prevails in the warped one-hot image, the map says that class."""
    labels = blobs(48, 64)
    matrix = rotation(degrees, 48, 64) @ shift(4.3, -2.6)
    classes = [*range(5), IGNORE]
    one_hot = torch.stack([(labels == c).double() for c in classes], dim=1)
    warped = warp_images(one_hot, matrix)[0]
    moved = map_through(labels, matrix)[0]
    share, winner = warped.max(0)
    clear = share > 0.8
    assert clear.float().mean() > 0.4
    assert torch.equal(torch.tensor(classes)[winner][clear], moved[clear].long())
    outside = warped.sum(0) == 0
    assert outside.any() and (moved[outside] == IGNORE).all()


@pytest.mark.parametrize('degrees', [-30.0, -13.0, 8.0, 30.0])
@pytest.mark.parametrize('size', [(80, 80), (60, 120)])
def test_box_and_mask_agree_within_a_pixel(size, degrees):
    """Of an axis-aligned rectangle, the box of the moved mask is the moved box."""
    height, width = size
    matrix = rotation(degrees, height, width) @ shift(2.5, -1.5)
    box = torch.tensor([[width / 2 - 14.0, height / 2 - 9.0, width / 2 + 11.0, height / 2 + 12.0]])
    mask = torch.zeros(1, height, width, dtype=torch.bool)
    x1, y1, x2, y2 = box[0].int().tolist()
    mask[:, y1:y2, x1:x2] = True
    moved, keep = move(box, matrix, torch.tensor([size]).float())
    rows, columns = map_through(mask, matrix, fill=0)[0].nonzero(as_tuple=True)
    around = torch.stack((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    assert keep.all()
    assert (moved[0] - around).abs().max() <= 1


def test_instances_of_several_images_at_once():
    masks = torch.zeros(2, 10, 10, dtype=torch.uint8)
    masks[:, 2:5, 2:5] = 1
    matrix = torch.cat([shift(3, 0), shift(0, 4)])
    moved = move_maps(masks, matrix, torch.tensor([[10, 10], [10, 7]]), fill=0)
    assert moved[0, 2:5, 5:8].all() and moved[1, 6:9, 2:5].all()
    assert moved.flatten(1).sum(1).tolist() == [9, 9]


def test_targets_carry_no_gradient_and_inputs_stay():
    matrix = rotation(20, 20, 20).float().requires_grad_()
    boxes, maps = torch.tensor([[4.0, 4.0, 9.0, 9.0]]), blobs(20, 20)
    copies = boxes.clone(), maps.clone()
    moved, _ = move(boxes, matrix, torch.tensor([[20.0, 20.0]]))
    assert not moved.requires_grad and not map_through(maps, matrix).requires_grad
    assert torch.equal(boxes, copies[0]) and torch.equal(maps, copies[1])


# Masks

ENTRY = st.floats(-2, 2)


@given(
    linear=st.lists(ENTRY, min_size=4, max_size=4),
    offset=st.tuples(st.floats(-40, 40), st.floats(-40, 40)),
    valid=st.tuples(st.integers(1, 31), st.integers(1, 43)),
    boxes=st.lists(
        st.tuples(st.integers(0, 43), st.integers(0, 31), st.integers(0, 43), st.integers(0, 31)),
        min_size=1,
        max_size=4,
    ),
    kind=st.sampled_from([np.uint8, np.bool_, np.int64]),
)
def test_masks_move_as_maps_do(linear, offset, valid, boxes, kind):
    """Empty masks and masks that reach into the padding are among them."""
    matrix = torch.eye(3)[None].clone()
    matrix[0, :2] = torch.tensor([[*linear[:2], offset[0]], [*linear[2:], offset[1]]])
    if matrix[0, :2, :2].det().abs() < 0.05:
        return
    masks = np.zeros((len(boxes), 31, 43), kind)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = np.random.default_rng(0).random(mask[y1:y2, x1:x2].shape) < 0.7
    extents = torch.tensor([valid]).float()
    kept = list(range(len(boxes)))[::2]
    moved = move_masks(masks, kept, matrix, extents)
    expected = move_maps(torch.from_numpy(masks[kept]), matrix, extents, 0).numpy()
    assert moved.dtype == expected.dtype and np.array_equal(moved, expected)


def test_no_masks_move():
    assert move_masks(np.zeros((2, 5, 6)), [], torch.eye(3)[None], SQUARE).shape == (0, 5, 6)
