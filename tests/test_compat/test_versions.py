"""The check of what is installed: the installed set passes, each fault has its own message."""

import pytest

from tst_mm.compat import versions
from tst_mm.compat.versions import check_versions


@pytest.fixture
def installed(monkeypatch):
    """Pretend that exactly these distributions are installed."""
    good = {'torch': '2.13.0+cpu', 'mmengine': '0.10.7', 'mmcv': '2.1.0'}

    def pretend(**changes):
        found = {**good, **{name.replace('_', '-'): text for name, text in changes.items()}}
        monkeypatch.setattr(versions, 'installed_version', found.get)

    return pretend


def test_what_is_installed_here_passes():
    check_versions()


@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'mmengine': None, 'onedl_mmengine': '0.10.12'},
        {'mmcv': None, 'onedl_mmcv': '2.3.6'},
        {'mmcv': None, 'mmcv_lite': '2.1.0'},
        {'torch': '2.1.0'},
    ],
)
def test_either_family_and_no_task_library(installed, changes):
    installed(**changes)
    check_versions()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'torch': None}, r"needs torch >= 2\.1, which is not installed: run `pip install 'torch'"),
        ({'torch': '2.0.1'}, r'needs torch >= 2\.1, but torch 2\.0\.1 is installed'),
        ({'mmengine': None}, r"mmengine .* not installed: run `pip install 'onedl-mmengine==0\."),
        ({'mmengine': '0.8.4'}, r'needs mmengine >= 0\.10\.0, < 1\.0, but mmengine 0\.8\.4'),
        ({'mmcv': '1.7.2'}, r'needs mmcv >= 2\.0\.1, < 2\.4, but mmcv 1\.7\.2 is installed'),
    ],
)
def test_says_what_is_wrong(installed, changes, message):
    installed(**changes)
    with pytest.raises(ImportError, match=message):
        check_versions()


def test_mmcv_without_operators(installed, monkeypatch):
    monkeypatch.setattr(versions, '_has_operators', lambda: False)
    installed(mmcv=None, onedl_mmcv='2.3.6', onedl_mmdetection='3.5.1')
    with pytest.raises(ImportError) as error:
        check_versions()
    text = str(error.value)
    assert 'onedl-mmcv 2.3.6 is installed without its compiled operators' in text
    assert 'mmdet needs' in text
    assert "pip install --no-build-isolation --no-cache-dir --no-deps 'onedl-mmcv==2.3.6'" in text


def test_classification_alone_needs_no_operators(installed, monkeypatch):
    monkeypatch.setattr(versions, '_has_operators', lambda: False)
    installed(mmcv=None, onedl_mmcv='2.3.6', onedl_mmpretrain='1.3.6')
    check_versions()


def test_operators_are_found_on_disk(monkeypatch, tmp_path):
    assert versions._has_operators()
    (tmp_path / 'mmcv').mkdir()
    (tmp_path / 'mmcv' / '__init__.py').touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__('sys').modules, 'mmcv', raising=False)
    assert not versions._has_operators()
