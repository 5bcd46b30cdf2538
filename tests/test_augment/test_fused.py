"""One kernel for a whole draw does what the eager operators do, and is used only where it can."""

import pytest
import torch

from tst_mm.augment import LearnedAugmenter, Normalization
from tst_mm.augment.composition import Setting, in_sequence
from tst_mm.augment.fused import augment_images, fits, in_one_pass, knows
from tst_mm.augment.operators import OPERATOR_SETS
from tst_mm.augment.warp import valid_mask

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'
KNOWN = [name for name in OPERATOR_SETS['wide'] if name not in ('Blur', 'Noise')]


def make(operators, channels=3, order='rgb', **options):
    augmenter = LearnedAugmenter(operators, init=dict(rate=0.9), **options)
    mean, std = [120.0, 110.0, 100.0][:channels], [58.0, 57.0, 60.0][:channels]
    augmenter.normalization = Normalization(mean, std, order).to(DEVICE)
    return augmenter


@pytest.mark.skipif(augment_images is None, reason='needs Triton')
@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('padded', [False, True])
@pytest.mark.parametrize('operators', [*([name] for name in KNOWN), KNOWN])
def test_parity(operators, padded, channels):
    """To a thousandth of a grey value per operator; steps may fall on the other side of a pixel."""
    together = len(operators) > 1
    augmenter = make(operators, channels, 'bgr' if padded else 'rgb', num_ops=5 if together else 1)
    high, wide, batch = (33, 40, 6) if together else (16, 20, 4)
    normalization = augmenter.normalization
    pixels = torch.randint(0, 256, (batch, channels, high, wide)).float().to(DEVICE)
    images = (pixels - normalization.mean) / normalization.std
    if padded:
        images = images.to(memory_format=torch.channels_last)
    sizes = [(high - 3 * i * padded, wide - 2 * i * padded) for i in range(batch)]
    draw = augmenter.draw(sizes)
    assert knows(draw)
    mask = valid_mask(draw.extents.to(DEVICE), high, wide) if padded else None
    expected = in_sequence(images, draw, Setting(normalization, mask))
    if padded:
        expected = torch.where(mask, expected, images)
    before = images.clone()
    found = in_one_pass(images, draw, normalization)
    assert found.stride() == images.stride() and torch.equal(images, before)
    off = ((found - expected) * normalization.std).abs()
    assert off.median() < 1e-3 and (off > 0.01).float().mean() < 1e-3
    still = [i for i in range(batch) if not any(draw.gates[i])]
    assert torch.equal(found[still], images[still])


@pytest.mark.skipif(augment_images is None, reason='needs Triton')
def test_larger_than_a_tile():
    augmenter = make(['Contrast', 'Sharpness', 'Equalize', 'Rotate'], num_ops=4)
    images = torch.rand(2, 3, 50, 70, device=DEVICE) * 4 - 2
    draw = augmenter.draw([(50, 70)] * 2)
    expected = in_sequence(images, draw, Setting(augmenter.normalization, None))
    off = (in_one_pass(images, draw, augmenter.normalization) - expected).abs()
    assert off.median() < 1e-5 and (off > 1e-3).float().mean() < 5e-3


def test_what_it_knows():
    """Operators that do not act do not matter; own ones and gradients are left to eager."""
    assert knows(make(KNOWN).draw([(8, 8)] * 4))
    assert not knows(make(['Blur'], num_ops=1).draw([(8, 8)] * 40))
    idle = LearnedAugmenter(['Blur', 'Invert'], num_ops=1, init=dict(rate=dict(Blur=0.0)))
    assert knows(idle.draw([(8, 8)] * 40))
    fixed = make([dict(type='Cutout', pixels=4)], num_ops=1)
    assert not knows(fixed.draw([(8, 8)] * 40))
    images = torch.zeros(4, 3, 8, 8, device=DEVICE)
    draw = make(KNOWN).draw([(8, 8)] * 4)
    usable = augment_images is not None and images.is_cuda
    assert fits(images, draw) == usable
    assert not fits(images.requires_grad_(), draw)
    assert not fits(torch.zeros(4, 2, 8, 8, device=DEVICE), draw)
    assert not fits(torch.zeros(4, 3, 1000, 1000, device=DEVICE), draw)


@pytest.mark.skipif(DEVICE == 'cpu' or augment_images is None, reason='needs a GPU and Triton')
def test_a_call_on_a_gpu_takes_it(monkeypatch):
    taken = []
    monkeypatch.setattr(
        'tst_mm.augment.fused.augment_images',
        lambda *args: taken.append(1) or augment_images(*args),
    )
    augmenter, images = make('standard'), torch.randn(8, 3, 32, 32, device=DEVICE)
    augmenter(images)
    assert taken
