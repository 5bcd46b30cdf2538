"""Fitted operators: their encoders, the shipped file, their place among other operators."""

import copy
import json
import math
import pickle

import pytest
import torch
from test_augment.helpers import GEOMETRIC, LEARNED, color, info, operator, photo, to_unit

from tst_mm.augment import Normalization
from tst_mm.augment.draw import compose
from tst_mm.augment.operators import DEFAULT_OPERATORS, ImageInfo
from tst_mm.augment.warp import warp_images
from tst_mm.paper import FittedColor, FittedGeometric
from tst_mm.paper.composition import UnlimitedInfo
from tst_mm.paper.encoders import AffineEncoder, ColorEncoder
from tst_mm.paper.fitted import (
    SHIPPED,
    encoder_to_dict,
    encoders_to_dict,
    read_encoders,
)
from tst_mm.paper.presets import FITTED_OPERATORS

from .helpers import recommended

COLORS = LEARNED[:6]


def fitted(name, **kwargs):
    return (FittedColor if name in COLORS else FittedGeometric)(name, **kwargs)


def images(size=32):
    return torch.cat([to_unit(photo(name, size, size)) for name in ('astronaut', 'coffee')])


def apply(op, pixels, level):
    """An operator on square RGB images, unclamped."""
    levels = torch.full((len(pixels),), level)
    if op.name in COLORS:
        told = UnlimitedInfo(Normalization().luma(3))
        return op.apply(pixels, levels.view(-1, 1, 1, 1), told)
    extents = torch.tensor([pixels.shape[-2:]]).float().expand(len(pixels), 2)
    ones = torch.ones(len(pixels), 1)
    return warp_images(pixels, compose((op,), ones, levels[:, None], extents))


# Encoders


def count(encoder):
    return sum(parameter.numel() for parameter in encoder.parameters())


def test_published_sizes():
    assert count(AffineEncoder()) == 55
    assert count(ColorEncoder()) == 281


def test_encoders_begin_as_the_identity():
    level = torch.linspace(-1, 1, 5)
    eye = torch.eye(3)[:2].expand(5, 2, 3)
    assert torch.equal(AffineEncoder()(level), eye)
    pixels = torch.rand(5, 3, 9, 7)
    for terms in (1, 3):
        torch.testing.assert_close(ColorEncoder(terms)(pixels, level), pixels)


def test_the_map_is_affine_linear_in_the_magnitude():
    encoder = AffineEncoder()
    torch.nn.init.normal_(encoder.linear.weight)
    maps = encoder(torch.tensor([-1.0, 0.0, 0.5, 1.0])).detach()
    torch.testing.assert_close(maps[0] + maps[3], 2 * maps[1])
    torch.testing.assert_close(maps[1] + maps[3], 2 * maps[2])


def test_colours_are_gain_shift_and_convolution():
    encoder = ColorEncoder()
    torch.manual_seed(0)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    pixels, level = torch.rand(1, 3, 9, 9), 0.4
    powers = torch.sigmoid(encoder.gate)[None] * level
    inputs = torch.cat((encoder.feature, powers))
    a, b = (encoder.first.weight + encoder.second.weight) @ inputs
    gain = encoder.scale * (torch.sigmoid(a) - 0.5) + 1
    shifted = gain * pixels + torch.sigmoid(b) - 0.5
    expected = torch.nn.functional.conv2d(shifted, encoder.kernel[0], padding=2)
    torch.testing.assert_close(encoder(pixels, torch.tensor([level])), expected)


@pytest.mark.parametrize('terms', [1, 2])
def test_gradcheck(terms):
    torch.manual_seed(1)
    level = torch.tensor([0.3, -0.8], dtype=torch.double, requires_grad=True)
    pixels = torch.rand(2, 3, 6, 5, dtype=torch.double, requires_grad=True)
    affine, colour = AffineEncoder(terms).double(), ColorEncoder(terms).double()
    for parameter in (*affine.parameters(), *colour.parameters()):
        torch.nn.init.normal_(parameter, 0, 0.3)
    assert torch.autograd.gradcheck(affine, level)
    assert torch.autograd.gradcheck(lambda x, m: colour(x, m), (pixels, level))
    mask = torch.ones(2, 1, 6, 5, dtype=torch.bool)
    mask[1, :, 4:] = False
    assert torch.autograd.gradcheck(lambda x, m: colour(x, m, mask), (pixels, level))


# The shipped file


def test_the_shipped_file_has_all_eleven_in_the_published_form():
    data = read_encoders(SHIPPED)
    assert tuple(data['encoders']) == LEARNED
    sizes = [
        sum(len(values) for values in entry['values'].values())
        for entry in data['encoders'].values()
    ]
    assert sizes == [281] * 6 + [55] * 5
    assert SHIPPED.stat().st_size < 60_000


@pytest.mark.parametrize('name', LEARNED)
def test_shipped_encoders_are_nearer_to_the_operator_than_doing_nothing(name):
    """On photographs, which the fit has not seen; the closed form is the truth."""
    pixels = torch.cat([images(), to_unit(photo('chelsea', 32, 32))])
    op, closed = fitted(name), operator(name)
    errors = {'nothing': 0.0, 'fitted': 0.0}
    low = -4 if closed.signed else 0
    for level in (step / 4 for step in range(low, 5)):
        truth = apply(closed, pixels, level)
        if name in COLORS:
            truth = truth.clamp(0, 1)
        errors['nothing'] += (pixels - truth).square().mean().item()
        errors['fitted'] += (apply(op, pixels, level) - truth).square().mean().item()
    assert errors['fitted'] < errors['nothing'], errors


# As operators


def test_the_fitted_set_has_names_ranges_and_signs_of_the_closed_forms():
    ours, imitated = recommended(), recommended(operators='fitted')
    assert imitated.policy.names == DEFAULT_OPERATORS and len(FITTED_OPERATORS) == 14
    for closed, op in zip(ours.operators, imitated.operators, strict=True):
        for key in ('limit', 'start', 'unit', 'signed', 'has_magnitude'):
            assert getattr(op, key) == getattr(closed, key), key
    assert imitated.policy.to_dict() == ours.policy.to_dict()
    imitated.policy.from_dict(ours.policy.to_dict())


@pytest.mark.parametrize('name', GEOMETRIC)
def test_maps_scale_with_the_image(name):
    """Linear part in pixels, shifts in parts of the sides."""
    op, level = fitted(name), torch.tensor([0.7])
    unit = op.matrix(level, torch.tensor([[2.0, 2.0]]))[0]
    wide = op.matrix(level, torch.tensor([[30.0, 80.0]]))[0]
    torch.testing.assert_close(unit[:2, :2], wide[:2, :2])
    torch.testing.assert_close(unit[:2, 2] * torch.tensor([40.0, 15.0]), wide[:2, 2])


@pytest.mark.parametrize('name', COLORS)
def test_bgr_is_rgb_flipped(name):
    pixels, op = images(), fitted(name)
    level = torch.full((2, 1, 1, 1), 0.6)
    rgb = op.apply(pixels, level, ImageInfo(Normalization().luma(3)))
    luma = Normalization(channel_order='bgr').luma(3)
    bgr = op.apply(pixels.flip(1), level, ImageInfo(luma, channel_order='bgr'))
    torch.testing.assert_close(bgr.flip(1), rgb, atol=1e-5, rtol=0)


@pytest.mark.parametrize('name', COLORS)
def test_a_grey_image_is_the_grey_of_its_colour_image(name):
    pixels, op = images().mean(1, keepdim=True), fitted(name)
    level = torch.full((2, 1, 1, 1), 0.6)
    free = UnlimitedInfo(Normalization().luma(1))
    grey = op.apply(pixels, level, free)
    colour = op.apply(pixels.expand(-1, 3, -1, -1), level, UnlimitedInfo(Normalization().luma(3)))
    luma = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    torch.testing.assert_close(grey, (colour * luma).sum(1, keepdim=True), atol=1e-5, rtol=0)


def test_values_are_clamped_only_where_they_are_to_be():
    pixels = torch.full((1, 3, 8, 8), 0.9)
    level = torch.ones(1, 1, 1, 1)
    limited = fitted('Brightness').apply(pixels, level, info(pixels))
    assert limited.max() == 1
    assert apply(fitted('Brightness'), pixels, 1.0).max() > 1.05
    assert color('Brightness', pixels).max() == 1


def test_precision_copies_and_pickles():
    op = fitted('Rotate')
    single = op.matrix(torch.tensor([0.5]), torch.tensor([[20.0, 20.0]]))
    double = op.matrix(torch.tensor([0.5]).double(), torch.tensor([[20.0, 20.0]]).double())
    assert double.dtype is torch.float64
    torch.testing.assert_close(single.double(), double, atol=1e-5, rtol=0)
    for twin in (copy.deepcopy(op), pickle.loads(pickle.dumps(op))):
        assert torch.equal(twin.matrix(torch.tensor([0.5]), torch.tensor([[20.0, 20.0]])), single)


# Files


def test_round_trip(tmp_path):
    torch.manual_seed(3)
    encoder = AffineEncoder(terms=2)
    torch.nn.init.normal_(encoder.linear.weight, 0, 0.1)
    path = tmp_path / 'mine.json'
    entry = {'Rotate': encoder_to_dict(encoder, 20.0)}
    path.write_text(json.dumps(encoders_to_dict(entry, {'seed': 3})))
    op = FittedGeometric('Rotate', weights=path)
    assert (op.name, op.limit, op.unit) == ('Rotate', 20.0, 'degrees')
    back = torch.linalg.inv(op.matrix(torch.tensor([0.4]), torch.tensor([[2.0, 2.0]])))[0, :2]
    torch.testing.assert_close(back, encoder(torch.tensor([0.4]))[0].detach(), atol=1e-4, rtol=0)
    augmenter = recommended(
        [{'type': 'FittedGeometric', 'imitates': 'Rotate', 'weights': str(path)}], num_ops=1
    )
    assert augmenter.policy.summary()['Rotate']['physical'] == pytest.approx(10)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('[', ['no file of encoders']),
        ('[]', ['no file of encoders']),
        ('{"version": 1}', ['no file of encoders', "'encoders'"]),
        ('{"version": 7, "encoders": {}}', ['version 7', 'allowed: 1']),
        (
            '{"version": 1, "encoders": {"Rotate": '
            '{"limit": 30, "terms": 1, "values": {"gate": [1, 2]}}}}',
            ['encoder of Rotate does not fit'],
        ),
    ],
)
def test_broken_file(tmp_path, content, words):
    path = tmp_path / 'broken.json'
    path.write_text(content)
    with pytest.raises(ValueError) as caught:
        FittedGeometric('Rotate', weights=path)
    assert all(word in str(caught.value) for word in [*words, 'broken.json'])


def test_what_cannot_be_imitated_is_named():
    with pytest.raises(KeyError, match="cannot imitate 'Rotat'.*did you mean 'Rotate'"):
        FittedGeometric('Rotat')
    with pytest.raises(KeyError, match="FittedColor cannot imitate 'Rotate'"):
        FittedColor('Rotate')
    with pytest.raises(FileNotFoundError, match='nowhere.json'):
        FittedColor('Color', weights='nowhere.json')


def test_rotation_needs_more_than_one_term():
    """No map that is linear in the magnitude follows a cosine: this bounds the published form."""
    angle = torch.linspace(-1, 1, 101) * math.pi / 6
    cosine = torch.cos(angle)
    best = (cosine - cosine.mean()).square().mean().sqrt()
    assert best > 0.03
