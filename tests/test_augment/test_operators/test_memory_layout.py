"""Images may lie in memory in any order: every operator does the same to them."""

import pytest
import torch

from tst_mm.augment.operators import OPERATOR_SETS

from ..helpers import batch, imagenet_augmenter

LAYOUTS = {
    'channels_last': lambda images: images.contiguous(memory_format=torch.channels_last),
    'transposed': lambda images: images.mT.contiguous().mT,
    'batch last': lambda images: images.permute(1, 2, 3, 0).contiguous().permute(3, 0, 1, 2),
    'part of a larger one': lambda images: images.repeat(1, 2, 2, 2)[:, :3, :24, :32],
    'one image, spread': lambda images: images[:1].expand(len(images), -1, -1, -1),
}


@pytest.mark.parametrize('padded', [False, True], ids=['', 'padded'])
@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('name', OPERATOR_SETS['wide'])
def test_any_layout(name, layout, padded):
    augmenter = imagenet_augmenter(operators=[name], num_ops=1, init={'rate': 1.0})
    images = LAYOUTS[layout](batch(4, 24, 32))
    sizes = [(20, 27) if padded else (24, 32)] * 4
    draw = augmenter.draw(sizes)
    assert draw.acted_on[0] is None, 'it acts on all images'
    before = images.clone(memory_format=torch.contiguous_format)
    images = images.requires_grad_()
    seen = augmenter.transform(images, draw)
    torch.testing.assert_close(seen, augmenter.transform(before, draw))
    assert torch.equal(images, before)
    (gradient,) = torch.autograd.grad(seen.sum(), images)
    assert gradient.shape == images.shape
