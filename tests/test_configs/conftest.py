"""What a hundred small runs would spend most of their time on."""

import gc
import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import pytest


@pytest.fixture(scope='module', autouse=True)
def _few_objects_to_collect():
    """Every data set collects garbage; the libraries' million objects are not among it."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def panopticapi(monkeypatch):
    """The one function of panopticapi, which is on no index of packages, that loading needs."""
    if importlib.util.find_spec('panopticapi') is None:
        module = ModuleType('panopticapi')
        module.utils = SimpleNamespace(rgb2id=lambda c: c.astype(int) @ [1, 256, 65536])
        monkeypatch.setitem(sys.modules, 'panopticapi', module)
