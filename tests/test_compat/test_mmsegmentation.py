"""Configs of mmseg are found under the name of the distribution that is installed."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.hub import get_config

from tst_mm.compat import mmsegmentation

NAME = 'mmseg::pspnet/pspnet_r50-d8_4xb2-40k_cityscapes-512x1024.py'


@pytest.fixture
def no_pip(monkeypatch):
    """MMEngine installs what it does not find; that must not happen."""

    def fail(*args, **kwargs):
        raise AssertionError('MMEngine called pip')

    monkeypatch.setattr('mmengine.utils.package_utils.call_command', fail)


def test_get_config(no_pip):
    assert get_config(NAME).model.type.endswith('EncoderDecoder')


def test_base(no_pip, tmp_path):
    path = tmp_path / 'child.py'
    path.write_text(f'_base_ = {NAME!r}\n')
    assert Config.fromfile(path).model.decode_head.type == 'PSPHead'


@pytest.mark.parametrize(
    ('found', 'name'),
    [
        (('onedl-mmsegmentation',), 'onedl-mmsegmentation'),
        (('mmsegmentation',), 'mmsegmentation'),
        ((), 'mmsegmentation'),
    ],
)
def test_follows_what_is_installed(monkeypatch, found, name):
    monkeypatch.setattr(mmsegmentation, 'installed_version', lambda it: it if it in found else None)
    utils = SimpleNamespace(MODULE2PACKAGE={'mmseg': 'mmsegmentation'})
    with mmsegmentation.name_of_the_fork(utils):
        pass
    assert utils.MODULE2PACKAGE['mmseg'] == name


@pytest.mark.parametrize('avg_non_ignore', [False, True])
def test_class_weights_beside_ignored_pixels(avg_non_ignore):
    """The weighted mean over the known pixels, as torch's own."""
    from mmseg.models.losses import CrossEntropyLoss

    weights = [0.25, 1.0, 2.0]
    logits = torch.randn(2, 3, 4, 5)
    labels = torch.randint(0, 3, (2, 4, 5))
    labels[:, :2] = 255
    loss = CrossEntropyLoss(class_weight=weights, avg_non_ignore=avg_non_ignore)
    found = loss(logits, labels, ignore_index=255)
    expected = F.cross_entropy(logits, labels, torch.tensor(weights), ignore_index=255)
    torch.testing.assert_close(found, expected)
    labels[:] = 255
    assert loss(logits, labels, ignore_index=255) == 0
