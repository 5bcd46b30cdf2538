"""Sampling through a map: identity, whole pixels, inverses, circles, padding, gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.warp import is_identity, source_points, valid_mask, warp_images

from .helpers import about_centre, draw_of, photo, rotation, shift, to_unit

SIZES = st.integers(1, 12)


def image(height=40, width=60, source='chelsea'):
    return to_unit(photo(source, height, width)).double()


def turn(degrees, height, width):
    """(1, 3, 3) map of the Rotate operator."""
    augmenter = LearnedAugmenter(ranges={'Rotate': 90})
    level = {'Rotate': degrees / 90}
    return draw_of(augmenter, [(height, width)], {'Rotate': 1}, level).matrix


@given(SIZES, SIZES, st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_the_identity_is_exact(height, width, channels, count):
    images = torch.rand(count, channels, height, width)
    assert torch.equal(warp_images(images, torch.eye(3).expand(count, 3, 3)), images)


@given(SIZES, SIZES, st.integers(-14, 14), st.integers(-14, 14))
@settings(max_examples=60, deadline=None)
def test_whole_pixels(height, width, x, y):
    """A shift by whole pixels copies; what comes from outside is 0."""
    images = torch.rand(1, 2, height, width, dtype=torch.float64) + 0.5
    expected = torch.zeros_like(images)
    for row in range(height):
        for column in range(width):
            if 0 <= row - y < height and 0 <= column - x < width:
                expected[..., row, column] = images[..., row - y, column - x]
    moved = warp_images(images, shift(x, y))
    torch.testing.assert_close(moved, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize('size', [8, 9])
def test_a_quarter_turn_is_exact_on_a_square(size):
    """Clockwise on the screen: the top left corner goes to the top right."""
    images = image(size, size)
    turned = warp_images(images, rotation(90, size, size))
    torch.testing.assert_close(turned, images.rot90(-1, (2, 3)), atol=1e-9, rtol=0)


@pytest.mark.parametrize('degrees', [-30.0, 12.0, 77.0])
def test_a_circle_stays_a_circle(degrees):
    """On a 1:2 image, where normalised coordinates would shear it."""
    height, width = 60, 120
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing='ij')
    radius = ((x - width / 2) ** 2 + (y - height / 2) ** 2).sqrt()
    circle = ((24 - radius) / 8).clamp(0, 1)[None, None]
    turned = warp_images(circle, turn(degrees, height, width))
    assert (turned - circle).abs().max() < 0.04


@pytest.mark.parametrize('degrees', [5.0, 30.0])
def test_there_and_back(degrees):
    """Rotation by an angle and back is the identity inside, up to the smoothing of sampling."""
    height, width = 96, 128
    images = to_unit(photo('astronaut', 24, 32)).double()
    images = torch.nn.functional.interpolate(images, size=(height, width), mode='bicubic')
    there = warp_images(images, turn(degrees, height, width))
    back = warp_images(there, turn(-degrees, height, width))
    error = (back - images)[..., 30:-30, 40:-40].abs()
    assert error.max() < 0.08 and error.mean() < 0.005


@given(st.integers(1, 400), st.integers(1, 400), st.floats(-90, 90), st.floats(-0.5, 0.5))
@settings(max_examples=40, deadline=None)
def test_source_points_are_where_destinations_come_from(height, width, degrees, tangent):
    forward = rotation(degrees, height, width) @ about_centre([[1, tangent], [0, 1]], height, width)
    points = source_points(forward, height, width)
    assert points.shape == (1, height, width, 2)
    back = points @ forward[0, :2, :2].T + forward[0, :2, 2]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    expected = torch.stack((x, y), -1)[None] + 0.5
    torch.testing.assert_close(back, expected.double(), atol=1e-8, rtol=0)


def test_single_precision_is_enough_for_large_images():
    forward = rotation(29.3, 1333, 2000)
    single = source_points(forward.float(), 1333, 2000)
    error = (single.double() - source_points(forward, 1333, 2000)).abs()
    assert error.max() < 2e-3


def test_only_images_that_move_change():
    images = image().repeat(2, 1, 1, 1)
    matrix = torch.cat([torch.eye(3).double()[None], rotation(20, 40, 60)])
    some = warp_images(images, matrix)
    assert torch.equal(some[0], images[0])
    assert torch.equal(some[1:], warp_images(images[1:], matrix[1:], may_stay=False))


def test_padding_is_not_sampled():
    """Content of the padding never enters: the same as zeros there."""
    images = image(20, 30)
    mask = valid_mask(torch.tensor([[16.0, 21.0]]), 20, 30)
    matrix = rotation(25, 16, 21)
    clean = warp_images(images * mask, matrix, mask=mask)
    dirty = warp_images(torch.where(mask, images, 9.0), matrix, mask=mask)
    assert torch.equal(clean, dirty)


def test_valid_mask():
    mask = valid_mask(torch.tensor([[2.0, 3.0], [4.0, 1.0]]), 4, 5)
    assert mask.shape == (2, 1, 4, 5)
    assert mask[0].sum() == 6 and mask[0, 0, :2, :3].all()
    assert mask[1].sum() == 4 and mask[1, 0, :, 0].all()


def test_is_identity():
    matrices = torch.cat([torch.eye(3).double()[None], shift(1e-12, 0), rotation(3, 4, 4)])
    assert is_identity(matrices).tolist() == [True, False, False]


def test_inputs_are_not_modified():
    images, matrix = image(), rotation(10, 40, 60)
    copies = images.clone(), matrix.clone()
    warp_images(images, matrix)
    assert torch.equal(images, copies[0]) and torch.equal(matrix, copies[1])


def test_gradcheck_in_image_and_map():
    torch.manual_seed(0)
    images = torch.rand(2, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    matrix = torch.cat([rotation(17, 5, 4), about_centre([[1, 0.2], [0.1, 0.9]], 5, 4)])
    assert gradcheck(lambda x, a: warp_images(x, a), (images, matrix.requires_grad_()))


def test_gradcheck_with_padding_and_an_image_at_rest():
    torch.manual_seed(0)
    images = torch.rand(2, 1, 5, 4, dtype=torch.float64, requires_grad=True)
    matrix = torch.cat([rotation(17, 4, 3), torch.eye(3).double()[None]])
    mask = valid_mask(torch.tensor([[4.0, 3.0], [5.0, 4.0]]), 5, 4)
    assert gradcheck(lambda x: warp_images(x, matrix, mask), images)
