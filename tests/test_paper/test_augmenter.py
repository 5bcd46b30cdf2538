"""PaperAugmenter on images, with half-open gates; the switches are in test_switches."""

import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_augment.helpers import NoHostReads, batch, expected_alone

from tst_mm.augment import Normalization
from tst_mm.augment.operators import DEFAULT_OPERATORS

from .helpers import draw_of, forced, imagenet_augmenter, recommended, with_logits

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize('dtype', DTYPES, ids=str)
def test_all_gates_zero_is_the_input(dtype):
    inputs = batch(3).to(dtype)
    outputs, draw = forced()(inputs, [(24, 32), (20, 32), (7, 5)], True)
    assert not draw.gates.any()
    torch.testing.assert_close(
        outputs, inputs, atol=1e-6, rtol=0
    )  # it went to grey values and back


@pytest.mark.parametrize('name', DEFAULT_OPERATORS)
def test_one_gate_one_is_that_operator(name):
    inputs = batch(3)
    augmenter = forced(name)
    augmenter.reseed(3)
    outputs, draw = augmenter(inputs, relaxed=True)
    expected = expected_alone(name, inputs, draw)
    torch.testing.assert_close(outputs, expected, atol=1e-4, rtol=0)
    assert (outputs - inputs).abs().amax((1, 2, 3)).min() > 0.05


def test_a_half_open_colour_gate_is_half_way():
    inputs = batch(2)
    augmenter = imagenet_augmenter()
    draw = draw_of(augmenter, [(24, 32)] * 2, {'Invert': 0.5})
    half = (inputs + expected_alone('Invert', inputs, draw)) / 2
    torch.testing.assert_close(augmenter.transform(inputs, draw), half, atol=1e-4, rtol=0)


def test_replay_is_bit_for_bit():
    inputs, sizes = batch(4), [(24, 32), (20, 30), (24, 10), (1, 1)]
    augmenter = imagenet_augmenter(num_ops=8)
    outputs, draw = augmenter(inputs, sizes, True)
    with_logits(augmenter, 3.0)  # what was drawn no longer depends on the policy
    augmenter.reseed(99)
    for replayed in (draw, draw.detach(), pickle.loads(pickle.dumps(draw.detach()))):
        assert torch.equal(augmenter.transform(inputs, replayed), outputs)


@given(
    shape=st.tuples(*[st.integers(1, n) for n in (3, 4, 17, 17)]),
    dtype=st.sampled_from(DTYPES),
    key=st.integers(0, 10**6),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_any_shape_and_dtype(shape, dtype, key, data):
    """Odd, single-channel, non-square, one pixel, one image, padded, in every precision."""
    count, _, height, width = shape
    sizes = [
        (data.draw(st.integers(1, height)), data.draw(st.integers(1, width))) for _ in range(count)
    ]
    augmenter = recommended(num_ops=14)
    augmenter.normalization = Normalization((100.0,), (50.0,))
    augmenter.reseed(key)
    torch.manual_seed(key)
    inputs = ((torch.rand(shape) * 255 - 100) / 50).to(dtype)
    before = inputs.clone()
    outputs, draw = augmenter(inputs, sizes, True)
    assert outputs.shape == shape and outputs.dtype is dtype and len(draw) == count
    assert torch.equal(inputs, before)
    assert outputs.isfinite().all()
    slack = 0.05 if dtype in DTYPES[:2] else 1e-4
    assert outputs.min() >= -2 - slack and outputs.max() <= 3.1 + slack
    for image, source, (rows, columns) in zip(outputs, inputs, sizes, strict=True):
        assert torch.equal(image[:, rows:], source[:, rows:])
        assert torch.equal(image[..., columns:], source[..., columns:])


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_only_that_of_the_images(dtype):
    augmenter, inputs = imagenet_augmenter(num_ops=8), batch(3).to(dtype)
    results = []
    for images in (inputs, inputs.float()):
        augmenter.reseed(8)
        results.append(augmenter(images, relaxed=True)[0])
    assert torch.equal(results[0], results[1].to(dtype))


def test_mixed_precision_changes_nothing():
    augmenter, inputs = imagenet_augmenter(num_ops=8), batch(3)
    augmenter.reseed(8)
    plain, _ = augmenter(inputs, relaxed=True)
    augmenter.reseed(8)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed, _ = augmenter(inputs, relaxed=True)
    assert torch.equal(plain, mixed)


def test_the_image_path_never_waits_for_the_device():
    """Applying reads nothing back; drawing reads only the flags and indices of its host noise."""
    augmenter, inputs = imagenet_augmenter(num_ops=14), batch(3)
    with NoHostReads(torch.float32):
        draw = augmenter.draw([(24, 32), (20, 30), (9, 9)], relaxed=True)
    with NoHostReads(torch.float32, torch.int64, torch.bool):
        outputs = augmenter.transform(inputs, draw)
        outputs.sum().backward()
    with pytest.raises(AssertionError, match='host waits'), NoHostReads(torch.float32):
        outputs.sum().item()
