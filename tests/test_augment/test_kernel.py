"""The kernel of a whole draw does what eager operators do; it is interpreted without a GPU."""

import pytest
import torch

pytest.importorskip('triton')

from tst_mm.augment.composition import Setting, in_sequence  # noqa: E402
from tst_mm.augment.fused import augment_images, in_one_pass, knows, runs_on  # noqa: E402
from tst_mm.augment.warp import valid_mask  # noqa: E402

from .helpers import DEVICE, KNOWN, known_augmenter  # noqa: E402


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('padded', [False, True])
@pytest.mark.parametrize('operators', [*([name] for name in KNOWN), KNOWN])
def test_parity(operators, padded, channels):
    """To a thousandth of a grey value per operator; steps may fall on the other side of a pixel."""
    together = len(operators) > 1
    augmenter = known_augmenter(
        operators, channels, 'bgr' if padded else 'rgb', num_ops=5 if together else 1
    )
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


def test_larger_than_a_tile():
    augmenter = known_augmenter(['Contrast', 'Sharpness', 'Equalize', 'Rotate'], num_ops=4)
    images = torch.rand(2, 3, 50, 70, device=DEVICE) * 4 - 2
    draw = augmenter.draw([(50, 70)] * 2)
    expected = in_sequence(images, draw, Setting(augmenter.normalization, None))
    off = (in_one_pass(images, draw, augmenter.normalization) - expected).abs()
    assert off.median() < 1e-5 and (off > 1e-3).float().mean() < 5e-3


def test_it_can_be_tried():
    assert runs_on(torch.device(DEVICE))


@pytest.mark.skipif(DEVICE == 'cpu', reason='needs a GPU')
def test_a_call_on_a_gpu_takes_it(monkeypatch):
    taken = []
    monkeypatch.setattr(
        'tst_mm.augment.fused.augment_images',
        lambda *args: taken.append(1) or augment_images(*args),
    )
    augmenter, images = known_augmenter('standard'), torch.randn(8, 3, 32, 32, device=DEVICE)
    augmenter(images)
    assert taken
