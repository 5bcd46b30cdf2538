"""Geometric operators: closed-form matrices, gradients, Pillow and torchvision on photographs."""

import math

import pytest
import torch
import torchvision.transforms.functional as tv
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.autograd import gradcheck

from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.warp import warp_images

from ..helpers import GEOMETRIC, draw_of, levels_of, operator, photo, to_levels, to_unit

EXTENTS = torch.tensor([[40.0, 90.0]])


def matrix(name, level, extents=EXTENTS, **kwargs):
    return operator(name, **kwargs).matrix(torch.tensor([level]), extents)[0]


def forward_map(name, level, height, width):
    """(1, 3, 3) in pixels from the top left corner."""
    return draw_of(LearnedAugmenter(), [(height, width)], {name: 1}, {name: level}).matrix


def pillow_affine(image, forward, resample=Image.Resampling.BILINEAR):
    """Pillow takes the way back, from the result to the source."""
    back = torch.linalg.inv(forward[0].double())[:2].flatten().tolist()
    return image.transform(image.size, Image.Transform.AFFINE, back, resample)


def inside(forward, height, width, margin=2):
    """(H, W) True where a pixel comes from at least ``margin`` pixels inside the source."""
    back = torch.linalg.inv(forward[0].double())
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing='ij')
    points = torch.stack((x, y, torch.ones_like(x)), -1).double() @ back.T
    x, y = points[..., 0], points[..., 1]
    return (x > margin) & (x < width - margin) & (y > margin) & (y < height - margin)


def test_values():
    cos, sin = math.cos(math.pi / 12), math.sin(math.pi / 12)
    expected = {
        'ShearX': [[1, 0.15, 0], [0, 1, 0], [0, 0, 1]],
        'ShearY': [[1, 0, 0], [0.15, 1, 0], [0, 0, 1]],
        'TranslateX': [[1, 0, 90 * 75 / 331], [0, 1, 0], [0, 0, 1]],
        'TranslateY': [[1, 0, 0], [0, 1, 40 * 75 / 331], [0, 0, 1]],
        'Rotate': [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]],
    }
    for name in GEOMETRIC:
        torch.testing.assert_close(matrix(name, 0.5), torch.tensor(expected[name]))


@pytest.mark.parametrize('name', GEOMETRIC)
def test_level_zero_is_exactly_the_identity(name):
    assert torch.equal(matrix(name, 0.0), torch.eye(3))


@given(
    name=st.sampled_from(GEOMETRIC),
    level=st.floats(-1, 1),
    height=st.integers(1, 2000),
    width=st.integers(1, 2000),
)
@settings(max_examples=60, deadline=None)
def test_the_negative_level_is_the_way_back(name, level, height, width):
    extents = torch.tensor([[height, width]], dtype=torch.float64)
    op = operator(name)
    there = op.matrix(torch.tensor([level], dtype=torch.float64), extents)
    back = op.matrix(torch.tensor([-level], dtype=torch.float64), extents)
    torch.testing.assert_close(there @ back, torch.eye(3).double()[None], atol=1e-9, rtol=0)
    assert there.det().item() == pytest.approx(1)


def test_rotation_keeps_lengths_on_any_aspect():
    """In pixels: a circle on a 1:2 image stays a circle."""
    turned = matrix('Rotate', 1.0, torch.tensor([[50.0, 100.0]]))[:2, :2]
    torch.testing.assert_close(turned @ turned.T, torch.eye(2))


def test_positive_angles_turn_clockwise_on_the_screen():
    right_of_the_centre = torch.tensor([1.0, 0.0, 1.0])
    assert (matrix('Rotate', 1.0) @ right_of_the_centre)[1] > 0


@pytest.mark.parametrize('name', GEOMETRIC)
def test_gradcheck(name):
    level = torch.tensor([0.3, -0.8], dtype=torch.float64, requires_grad=True)
    extents = torch.tensor([[6.0, 9.0], [7.0, 5.0]], dtype=torch.float64)
    assert gradcheck(lambda m: operator(name).matrix(m, extents), level)


@pytest.mark.parametrize('name', GEOMETRIC)
def test_range_scales_the_map(name):
    half = operator(name).limit / 2
    torch.testing.assert_close(matrix(name, 1.0, limit=half), matrix(name, 0.5))


@pytest.mark.parametrize('level', [-1.0, 0.37, 1.0])
@pytest.mark.parametrize('name', GEOMETRIC)
@pytest.mark.parametrize('source', ['astronaut', 'camera'])
def test_agreement_with_pillow(source, name, level):
    """Both sample bilinearly at pixel centres; Pillow cuts the result to whole levels."""
    image = photo(source)
    forward = forward_map(name, level, image.height, image.width)
    ours = to_levels(warp_images(to_unit(image), forward))
    where = inside(forward, image.height, image.width)
    cut_off = (ours - levels_of(pillow_affine(image, forward)))[where]
    assert where.float().mean() > 0.4
    assert cut_off.min() >= -0.01 and cut_off.max() <= 1.01


@pytest.mark.parametrize('degrees', [-30.0, 11.0])
def test_rotation_agrees_with_torchvision(degrees):
    """Torchvision turns counter-clockwise."""
    image = photo('chelsea', 90, 150)
    forward = forward_map('Rotate', degrees / 30, 90, 150)
    theirs = tv.rotate(to_unit(image), -degrees, tv.InterpolationMode.BILINEAR)
    error = (warp_images(to_unit(image), forward) - theirs).abs().amax(1)[0]
    assert error[inside(forward, 90, 150)].max() * 255 <= 0.5


def test_translation_agrees_with_torchvision():
    image = to_unit(photo('coffee', 64, 100))
    level = 20 / 100 / (150 / 331)
    ours = warp_images(image, forward_map('TranslateX', level, 64, 100))
    theirs = tv.affine(image, 0, [20, 0], 1.0, [0.0], tv.InterpolationMode.BILINEAR)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize('name', ['ShearX', 'ShearY'])
def test_shear_agrees_with_torchvision(name):
    """About the centre too; the sign differs between the axes there, so either is accepted."""
    image = photo('rocket', 80, 80)
    degrees = math.degrees(math.atan(0.3))
    angles = [degrees, 0.0] if name == 'ShearX' else [0.0, degrees]
    theirs = tv.affine(to_unit(image), 0, [0, 0], 1.0, angles, tv.InterpolationMode.BILINEAR)
    errors = {}
    for level in (-1.0, 1.0):
        forward = forward_map(name, level, 80, 80)
        error = (warp_images(to_unit(image), forward) - theirs).abs().amax(1)[0]
        errors[level] = error[inside(forward, 80, 80)].max().item() * 255
    assert min(errors.values()) <= 0.5 < 5 < max(errors.values())
