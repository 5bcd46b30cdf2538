"""The kernel of a whole draw is used only where it can be."""

import torch

from tst_mm.augment import LearnedAugmenter, fused
from tst_mm.augment.fused import augment_images, fits, knows

from .helpers import DEVICE, KNOWN, known_augmenter


def test_what_it_knows():
    """Operators that do not act do not matter; own ones and gradients are left to eager."""
    assert knows(known_augmenter(KNOWN).draw([(8, 8)] * 4))
    assert not knows(known_augmenter(['Blur'], num_ops=1).draw([(8, 8)] * 40))
    idle = LearnedAugmenter(['Blur', 'Invert'], num_ops=1, init=dict(rate=dict(Blur=0.0)))
    assert knows(idle.draw([(8, 8)] * 40))
    fixed = known_augmenter([dict(type='Cutout', pixels=4)], num_ops=1)
    assert not knows(fixed.draw([(8, 8)] * 40))
    images = torch.zeros(4, 3, 8, 8, device=DEVICE)
    draw = known_augmenter(KNOWN).draw([(8, 8)] * 4)
    usable = augment_images is not None and images.is_cuda
    assert fits(images, draw) == usable
    assert not fits(images.requires_grad_(), draw)
    assert not fits(torch.zeros(4, 2, 8, 8, device=DEVICE), draw)
    assert not fits(torch.zeros(4, 3, 1000, 1000, device=DEVICE), draw)


def test_a_kernel_that_fails_is_told_once_and_left(monkeypatch):
    """For example without a C compiler, which Triton needs."""

    def broken(*args):
        raise RuntimeError('Failed to find C compiler')

    said = []
    monkeypatch.setattr(fused, 'augment_images', broken)
    monkeypatch.setattr(fused, 'print_log', lambda words, **_: said.append(words))
    fused.runs_on.cache_clear()
    assert not any(fused.runs_on(torch.device('cpu')) for _ in range(2))
    fused.runs_on.cache_clear()
    assert len(said) == 1 and 'Failed to find C compiler' in said[0]
