"""Images are taken out and put back alike, singly or by an index; small things travel at once."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tst_mm.augment.operators import color
from tst_mm.augment.rows import Rows, select, send

from .helpers import batch, imagenet_augmenter


@given(
    count=st.integers(1, 20),
    steps=st.lists(st.sets(st.integers(0, 19), min_size=1), min_size=1, max_size=4),
    width=st.sampled_from([3, 4]),  # 12 bytes and 16
    turned=st.booleans(),
)
def test_all_ways_give_the_same(count, steps, width, turned):
    tensor = torch.arange(count * 1.0 * width).view(count, width)
    tensor = tensor.T.contiguous().T if turned else tensor
    given_tensor, expected = tensor.clone(), tensor.clone()
    chosen = [sorted({i % count for i in step}) for step in steps]
    for k, positions in enumerate(chosen):
        expected[positions] = expected[positions] * 2 + k
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            rows = Rows(tensor)
            for k, positions in enumerate(chosen):
                selection = select(positions, count, tensor.device)
                rows.put(selection, rows.take(selection) * 2 + k)
            assert torch.equal(rows.whole(), expected)
    assert torch.equal(tensor, given_tensor)


@pytest.mark.parametrize('padded', [False, True])
def test_a_large_batch_is_changed_as_its_images_are(padded):
    """By index, in place, at once; and one by one."""
    augmenter, images = imagenet_augmenter(num_ops=8), batch(24)
    sizes = [(24 - i % 5, 32 - i % 7) if padded else (24, 32) for i in range(24)]
    with torch.no_grad():
        augmenter.reseed(5)
        at_once, draw = augmenter(images, sizes)
    assert len({on for on in draw.acted_on if on}) > 5
    one_by_one = augmenter.transform(images.requires_grad_(), draw)
    torch.testing.assert_close(at_once, one_by_one, atol=1e-5, rtol=0)


def test_smoothing_is_the_same_on_every_device():
    images = torch.rand(2, 3, 9, 7)
    here = color._smooth(images)

    class Elsewhere(torch.Tensor):
        device = torch.device('meta')

    there = color._smooth(images.as_subclass(Elsewhere))
    torch.testing.assert_close(there.as_subclass(torch.Tensor), here)


def test_several_tensors_travel_at_once():
    tensors = [
        torch.arange(5),
        torch.rand(2, 3, dtype=torch.float64),
        torch.tensor(True),
        torch.rand(3, 1).T,
        torch.empty(0, 4),
    ]
    here = torch.ones(2, device='meta')
    (*there, same) = send([*tensors, here], torch.device('meta'))
    assert same is here
    for old, new in zip(tensors, there, strict=True):
        assert new.device.type == 'meta' and new.dtype == old.dtype and new.shape == old.shape
    packed = send(tensors, torch.device('cpu', 0))  # another name of the same device
    for old, new in zip(tensors, packed, strict=True):
        assert torch.equal(old, new) and (new.data_ptr() != old.data_ptr() or not old.numel())
