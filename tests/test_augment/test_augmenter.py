"""LearnedAugmenter on images: composition, padding, replay, precision, host reads."""

import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tst_mm.augment import LearnedAugmenter, Normalization
from tst_mm.augment.operators import DEFAULT_OPERATORS

from .helpers import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    NoHostReads,
    batch,
    draw_from,
    draw_of,
    expected_alone,
    forced,
    imagenet_augmenter,
    with_logits,
)

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize('dtype', DTYPES, ids=str)
def test_all_gates_zero_is_the_input_bit_for_bit(dtype):
    inputs = batch(3).to(dtype)
    outputs, draw = forced()(inputs, [(24, 32), (20, 32), (7, 5)])
    assert not draw.gates.any()
    assert torch.equal(outputs, inputs) and outputs.dtype is dtype


@pytest.mark.parametrize('name', DEFAULT_OPERATORS)
def test_one_gate_one_is_that_operator(name):
    inputs = batch(3)
    augmenter = forced(name)
    augmenter.reseed(3)
    outputs, draw = augmenter(inputs)
    expected = expected_alone(name, inputs, draw)
    torch.testing.assert_close(outputs, expected, atol=1e-4, rtol=0)
    assert (outputs - inputs).abs().amax((1, 2, 3)).max() > 0.05


def test_colour_in_sequence_then_geometry_sampled_once_then_erasing():
    inputs = batch(2)
    names = {'Brightness': 1, 'Solarize': 1, 'Rotate': 1, 'ShearX': 1, 'Invert': 1, 'Cutout': 1}
    augmenter = imagenet_augmenter()
    levels = {'Brightness': 0.3, 'Solarize': 0.4, 'Rotate': 0.9, 'ShearX': -1}
    draw = draw_of(augmenter, [(24, 32)] * 2, names, levels)
    expected = inputs
    for name in ('Brightness', 'Solarize', 'Invert'):
        expected = expected_alone(name, expected, draw)
    expected = expected_alone('Cutout', expected_alone('Rotate', expected, draw), draw)
    torch.testing.assert_close(augmenter.transform(inputs, draw), expected, atol=2e-4, rtol=0)


def test_images_do_not_depend_on_their_neighbours():
    inputs = batch(4)
    augmenter = imagenet_augmenter(num_ops=6)
    for key in range(4):
        augmenter.reseed(key)
        together, draw = augmenter(inputs)
        for i in range(4):
            acting = {op.name for k, op in enumerate(draw.operators) if draw.gates[i, k]}
            rows = [t[i : i + 1] for t in (draw.gates, draw.levels, draw.positions)]
            alone = augmenter.transform(
                inputs[i : i + 1], draw_from(augmenter, [(24, 32)], *rows, acting)
            )
            torch.testing.assert_close(together[i : i + 1], alone, atol=1e-4, rtol=0)


# Replay, inputs, shapes


def test_replay_is_bit_for_bit():
    inputs, sizes = batch(4), [(24, 32), (20, 30), (24, 10), (1, 1)]
    augmenter = imagenet_augmenter(num_ops=8)
    outputs, draw = augmenter(inputs, sizes)
    with_logits(augmenter, 3.0)  # what was drawn no longer depends on the policy
    augmenter.reseed(99)
    for replayed in (draw, pickle.loads(pickle.dumps(draw))):
        assert torch.equal(augmenter.transform(inputs, replayed), outputs)


def test_reseeding_repeats_the_images():
    inputs, augmenter = batch(3), imagenet_augmenter()
    results = []
    for key in ((5, 1), (5, 2), (5, 1)):
        augmenter.reseed(*key)
        results.append(augmenter(inputs)[0])
    assert torch.equal(results[0], results[2]) and not torch.equal(results[0], results[1])


@given(
    shape=st.tuples(*[st.integers(1, n) for n in (3, 4, 17, 17)]),
    dtype=st.sampled_from(DTYPES),
    key=st.integers(0, 10**6),
    data=st.data(),
)
@settings(max_examples=120, deadline=None)
def test_any_shape_and_dtype(shape, dtype, key, data):
    """Odd, single-channel, non-square, one pixel, one image, padded, in every precision."""
    count, _, height, width = shape
    sizes = [
        (data.draw(st.integers(1, height)), data.draw(st.integers(1, width))) for _ in range(count)
    ]
    augmenter = LearnedAugmenter(num_ops=14)
    augmenter.normalization = Normalization((100.0,), (50.0,))
    augmenter.reseed(key)
    torch.manual_seed(key)
    inputs = ((torch.rand(shape) * 255 - 100) / 50).to(dtype)
    before = inputs.clone()
    outputs, draw = augmenter(inputs, sizes)
    assert outputs.shape == shape and outputs.dtype is dtype and len(draw) == count
    assert torch.equal(inputs, before)
    assert outputs.isfinite().all()
    slack = 0.05 if dtype in DTYPES[:2] else 1e-4
    assert outputs.min() >= -2 - slack and outputs.max() <= 3.1 + slack
    for image, source, (rows, columns) in zip(outputs, inputs, sizes, strict=True):
        assert torch.equal(image[:, rows:], source[:, rows:])
        assert torch.equal(image[..., columns:], source[..., columns:])


@pytest.mark.parametrize('key', range(6))
def test_a_padded_image_is_augmented_like_the_image_alone(key):
    augmenter = imagenet_augmenter(num_ops=10)
    whole = batch(2, 20, 26)
    padded = torch.full((2, 3, 28, 33), 1.7)
    padded[..., :20, :26] = whole
    augmenter.reseed(key)
    outputs, _ = augmenter(padded, [(20, 26)] * 2)
    augmenter.reseed(key)
    alone, _ = augmenter(whole)
    torch.testing.assert_close(outputs[..., :20, :26], alone, atol=2e-4, rtol=0)
    assert (outputs[..., 20:, :] == 1.7).all() and (outputs[..., 26:] == 1.7).all()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_only_that_of_the_images(dtype):
    augmenter, inputs = imagenet_augmenter(num_ops=8), batch(3).to(dtype)
    results = []
    for images in (inputs, inputs.float()):
        augmenter.reseed(8)
        results.append(augmenter(images)[0])
    assert torch.equal(results[0], results[1].to(dtype))


def test_mixed_precision_changes_nothing():
    augmenter, inputs = imagenet_augmenter(num_ops=8), batch(3)
    augmenter.reseed(8)
    plain, _ = augmenter(inputs)
    augmenter.reseed(8)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed, _ = augmenter(inputs)
    assert torch.equal(plain, mixed)


def test_bgr_is_rgb_flipped():
    inputs = batch(3)
    rgb, bgr = imagenet_augmenter(num_ops=10), LearnedAugmenter(num_ops=10)
    bgr.normalization = Normalization(IMAGENET_MEAN[::-1], IMAGENET_STD[::-1], 'bgr')
    rgb.reseed(4)
    bgr.reseed(4)
    torch.testing.assert_close(bgr(inputs.flip(1))[0].flip(1), rgb(inputs)[0], atol=2e-4, rtol=0)


def test_the_image_path_never_waits_for_the_device():
    """Applying reads nothing back; drawing reads only the flags and indices of its host noise."""
    augmenter, inputs = imagenet_augmenter(num_ops=14), batch(3)
    with NoHostReads(torch.float32):
        draw = augmenter.draw([(24, 32), (20, 30), (9, 9)])
    with NoHostReads(torch.float32, torch.int64, torch.bool):
        outputs = augmenter.transform(inputs, draw)
    with pytest.raises(AssertionError, match='host waits'), NoHostReads(torch.float32):
        outputs.sum().item()
