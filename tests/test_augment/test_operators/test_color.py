"""Colour operators against Pillow on photographs, and their gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps
from torch.autograd import gradcheck

from tst_mm.augment import Normalization
from tst_mm.augment.operators import ImageInfo

from ..helpers import COLOR, color, info, levels_of, operator, photo, to_levels, to_unit

BLENDS = ('Brightness', 'Color', 'Contrast', 'Sharpness')
WITH_MAGNITUDE = (*BLENDS, 'Posterize', 'Solarize')
PHOTOS = ('astronaut', 'chelsea', 'coffee', 'camera')


def smooth_images(low=0.35, high=0.65, shape=(2, 3, 4, 5)):
    """fp64 values that no blend at a small level clamps."""
    torch.manual_seed(0)
    return (low + (high - low) * torch.rand(shape, dtype=torch.float64)).requires_grad_()


def small_levels():
    return torch.tensor([0.2, -0.3], dtype=torch.float64).view(2, 1, 1, 1).requires_grad_()


# Agreement with Pillow


@pytest.mark.parametrize('level', [-1.0, -0.35, 0.0, 0.5, 1.0])
@pytest.mark.parametrize('source', PHOTOS)
@pytest.mark.parametrize('name', BLENDS)
def test_blends_agree_with_pillow(name, source, level):
    """Pillow rounds the degenerate image (half a level) and cuts the result (one level)."""
    image = photo(source)
    expected = levels_of(getattr(ImageEnhance, name)(image).enhance(1 + 0.9 * level))
    error = (to_levels(color(name, to_unit(image), level)) - expected).abs()
    assert error.max() <= (0.01 if level == 0 else 1.5)
    assert error.mean() <= 1.0


@pytest.mark.parametrize('bits', range(1, 9))
@pytest.mark.parametrize('source', ['astronaut', 'camera'])
def test_posterize_equals_pillow_at_whole_bits(source, bits):
    image = photo(source)
    ours = to_levels(color('Posterize', to_unit(image), (8 - bits) / 7, limit=1))
    torch.testing.assert_close(ours, levels_of(ImageOps.posterize(image, bits)), atol=1e-3, rtol=0)


@pytest.mark.parametrize('threshold', [0, 1, 17, 128, 254, 255, 256])
@pytest.mark.parametrize('source', ['chelsea', 'camera'])
def test_solarize_equals_pillow(source, threshold):
    image = photo(source)
    ours = to_levels(color('Solarize', to_unit(image), 1 - threshold / 256))
    torch.testing.assert_close(
        ours, levels_of(ImageOps.solarize(image, threshold)), atol=1e-3, rtol=0
    )


def test_solarize_at_threshold_zero_is_invert():
    image = to_unit(photo())
    assert torch.equal(color('Solarize', image, 1.0), color('Invert', image))


@pytest.mark.parametrize('source', PHOTOS)
def test_equalize_and_invert_equal_pillow(source):
    image = photo(source)
    for name, reference in (('Equalize', ImageOps.equalize), ('Invert', ImageOps.invert)):
        ours = to_levels(color(name, to_unit(image)))
        torch.testing.assert_close(ours, levels_of(reference(image)), atol=1e-3, rtol=0)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 256), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_equalize_equals_pillow_on_odd_histograms(height, width, levels, seed):
    generator = torch.Generator().manual_seed(seed)
    palette = torch.randint(0, 256, (levels,), generator=generator)
    pixels = palette[torch.randint(0, levels, (height, width), generator=generator)].byte()
    image = Image.fromarray(pixels.numpy())
    ours = to_levels(color('Equalize', to_unit(image)).view(1, 1, height, width))
    expected = levels_of(ImageOps.equalize(image))
    torch.testing.assert_close(ours.view(height, width), expected, atol=1e-3, rtol=0)


# Shapes, ranges, channels, padding


@pytest.mark.parametrize('name', WITH_MAGNITUDE)
def test_level_zero_is_the_identity(name):
    images = to_unit(photo())
    torch.testing.assert_close(color(name, images, 0.0), images, atol=1e-6, rtol=0)


@given(
    name=st.sampled_from(COLOR),
    shape=st.tuples(*[st.integers(1, n) for n in (3, 4, 9, 9)]),
    level=st.floats(-1, 1),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
@settings(max_examples=120, deadline=None)
def test_any_shape_stays_in_range_and_leaves_its_input(name, shape, level, dtype):
    images = torch.rand(shape, dtype=dtype)
    images.flatten()[0] = 0.0
    images.flatten()[-1] = 1.0
    before = images.clone()
    level = level if operator(name).signed else abs(level)
    result = color(name, images, level)
    assert result.shape == images.shape and result.dtype is dtype
    assert result.isfinite().all() and result.min() >= -1e-6 and result.max() <= 1 + 1e-6
    assert torch.equal(images, before)


@pytest.mark.parametrize('channels', [1, 3])
def test_saturation_leaves_grey_images(channels):
    grey = to_unit(photo('camera')).expand(1, channels, -1, -1)
    torch.testing.assert_close(color('Color', grey, -1.0), grey, atol=1e-6, rtol=0)


@pytest.mark.parametrize('name', ['Color', 'Contrast'])
def test_grey_weights_follow_the_channel_order(name):
    images, level = to_unit(photo('coffee')), torch.full((1, 1, 1, 1), -0.8)
    bgr = ImageInfo(Normalization(channel_order='bgr').luma(3))
    swapped = operator(name).apply(images.flip(1), level, bgr).flip(1)
    torch.testing.assert_close(swapped, operator(name).apply(images, level, info(images)))


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('name', COLOR)
def test_padding_has_no_influence(name, channels):
    """A padded image gives what the image alone gives, whatever the padding holds."""
    alone = [to_unit(photo('coffee', 21, 34))[:, :channels], to_unit(photo('rocket', 40, 17))]
    alone[1] = alone[1][:, :channels]
    padded = torch.full((2, channels, 40, 34), 0.77)
    mask = torch.zeros(2, 1, 40, 34, dtype=torch.bool)
    for i, image in enumerate(alone):
        height, width = image.shape[-2:]
        padded[i, :, :height, :width], mask[i, :, :height, :width] = image[0], True
    level = torch.tensor([0.6, 0.6]).view(2, 1, 1, 1)
    result = operator(name).apply(padded, level, info(padded, mask))
    for i, image in enumerate(alone):
        height, width = image.shape[-2:]
        torch.testing.assert_close(
            result[i : i + 1, :, :height, :width], color(name, image, 0.6), atol=1e-5, rtol=0
        )


@pytest.mark.parametrize('name', COLOR)
def test_without_gradients_it_gives_the_same(name):
    images = torch.cat([to_unit(photo('coffee')), to_unit(photo('rocket'))])
    images.flatten()[:2] = torch.tensor([-1e-8, 1 + 1e-7])  # what rounding leaves
    images = images.expand(2, -1, -1, -1)
    level = torch.tensor([0.3, 0.9])
    expected = color(name, images, level)
    with torch.no_grad():
        assert torch.equal(color(name, images, level), expected)


def test_each_image_has_its_own_level():
    images = torch.cat([to_unit(photo('coffee')), to_unit(photo('rocket'))])
    level = torch.tensor([0.2, 0.9])
    for name in WITH_MAGNITUDE:
        together = color(name, images, level)
        for i in range(2):
            one = color(name, images[i : i + 1], level[i])
            torch.testing.assert_close(together[i : i + 1], one)


# Gradients


@pytest.mark.parametrize('name', BLENDS)
def test_gradcheck_in_image_and_magnitude(name):
    images = smooth_images()
    op, about = operator(name), info(images)
    assert gradcheck(lambda x, m: op.apply(x, m, about), (images, small_levels()))


@pytest.mark.parametrize('name', ['Contrast', 'Sharpness'])
def test_gradcheck_with_padding(name):
    images = smooth_images(shape=(2, 1, 5, 5))
    mask = torch.ones(2, 1, 5, 5, dtype=torch.bool)
    mask[0, :, 4:], mask[1, :, :, 3:] = False, False
    op, about = operator(name), info(images, mask)
    assert gradcheck(lambda x, m: op.apply(x, m, about), (images, small_levels()))


def test_gradcheck_of_invert_and_of_solarize_in_the_image():
    """Away from the threshold, here 128, Solarize is smooth in the image."""
    images = smooth_images()
    assert gradcheck(lambda x: color('Invert', x), images)
    apart = torch.cat([smooth_images(0.1, 0.4), smooth_images(0.6, 0.9)]).detach().requires_grad_()
    assert gradcheck(lambda x: color('Solarize', x, 0.5), apart)


def surrogate_gradients(name, surrogate, images, level):
    """Gradients of the operator, and those of the stated surrogate, under random weights."""
    weights = torch.rand_like(images)
    pairs = []
    for function in (lambda x, m: operator(name).apply(x, m, info(images)), surrogate):
        value = function(images, level)
        gradients = torch.autograd.grad(
            (value * weights).sum(), (images, level), allow_unused=True, materialize_grads=True
        )
        pairs.append(gradients)
    return pairs


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_limits_hand_the_gradient_on_as_clamp_does(dtype):
    """Black and white themselves are inside of the range."""
    values = torch.tensor([-1e-3, 0.0, 0.5, 1.0, 1 + torch.finfo(dtype).eps, 2.0], dtype=dtype)
    gradients = []
    for limit in (info(values.view(1, 1, 1, -1)).limited, lambda x: x.clamp(0, 1)):
        given = values.clone().requires_grad_()
        limit(given).sum().backward()
        gradients.append(given.grad)
    assert torch.equal(*gradients) and gradients[0].tolist() == [0, 1, 1, 1, 0, 0]


def test_posterize_holds_the_remainder():
    images, level = smooth_images(0, 1), torch.full((2, 1, 1, 1), 0.6).double().requires_grad_()
    step = torch.exp2(4 * level.detach()) / 255
    share = (images / step - torch.floor(images / step)).detach()

    def surrogate(x, m):
        return x - share * torch.exp2(4 * m) / 255

    ours, stated = surrogate_gradients('Posterize', surrogate, images, level)
    torch.testing.assert_close(ours, stated)
    assert (ours[1] < 0).all()  # coarser steps round down further


def test_solarize_has_a_logistic_step():
    images, level = smooth_images(0, 1), torch.full((2, 1, 1, 1), 0.45).double().requires_grad_()
    fixed = images.detach()
    step = (images >= 256 * (1 - level) / 255).double().detach()

    def surrogate(x, m):
        soft = torch.sigmoid((fixed - 256 * (1 - m) / 255) / 0.05)
        return x + (step + soft - soft.detach()) * (1 - 2 * x)

    ours, stated = surrogate_gradients('Solarize', surrogate, images, level)
    torch.testing.assert_close(ours, stated)
    assert ours[1].abs().min() > 0


def test_equalize_passes_the_gradient():
    images = smooth_images(0, 1, shape=(2, 3, 20, 20))
    level = torch.ones(2, 1, 1, 1, dtype=torch.float64, requires_grad=True)
    ours, stated = surrogate_gradients('Equalize', lambda x, m: x + 0 * m, images, level)
    torch.testing.assert_close(ours, stated)


@pytest.mark.parametrize('name', ['Posterize', 'Solarize', 'Equalize'])
def test_straight_through_changes_no_value(name):
    images = to_unit(photo('chelsea'))
    level = torch.full((1, 1, 1, 1), 0.55)
    plain = operator(name).apply(images, level, info(images))
    tracked = operator(name).apply(
        images.clone().requires_grad_(), level.clone().requires_grad_(), info(images)
    )
    assert torch.equal(tracked, plain)


@pytest.mark.parametrize('name', COLOR)
@pytest.mark.parametrize('value', [0.0, 1.0])
def test_gradients_are_finite_on_uniform_images(name, value):
    images = torch.full((1, 3, 1, 1), value, requires_grad=True)
    level = torch.ones(1, 1, 1, 1, requires_grad=True)
    operator(name).apply(images, level, info(images)).sum().backward()
    assert images.grad.isfinite().all()
    assert level.grad is None or level.grad.isfinite().all()
