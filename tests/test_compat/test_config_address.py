"""Configs of tst_mm are found by address, and mean there what they mean as files."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config, utils
from mmengine.hub import get_config

import tst_mm
from tst_mm.compat import config_address

CONFIGS = Path(tst_mm.__file__).parent / '.mim' / 'configs'


def test_name_is_known():
    assert utils.MODULE2PACKAGE['tst_mm'] == 'tst_mm'


def test_an_entry_of_mmengine_is_left():
    module = SimpleNamespace(MODULE2PACKAGE={'tst_mm': 'other'})
    with config_address.known_addresses(module):
        pass
    assert module.MODULE2PACKAGE['tst_mm'] == 'other'


def test_parts_keep_the_scope_of_the_inheriting_config(tmp_path):
    path = tmp_path / 'child.py'
    path.write_text("_base_ = ['tst_mm::demo/retinanet_plain.py']\n")
    child = Config.fromfile(path)
    assert child.to_dict() == Config.fromfile(CONFIGS / 'demo/retinanet_plain.py').to_dict()
    assert '_scope_' not in child.train_dataloader.dataset
    path.write_text("_base_ = ['mmdet::_base_/models/retinanet_r50_fpn.py']\n")
    assert Config.fromfile(path).model._scope_ == 'mmdet'  # others have theirs


@pytest.mark.faults
def test_a_config_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='retinanet_none'):
        get_config('tst_mm::demo/retinanet_none.py')
