"""A mend runs once, around the module's code, and leaves the module's own loader in place."""

import importlib
import sys
from contextlib import contextmanager

import pytest

from tst_mm.compat import on_import
from tst_mm.compat.on_import import mend_on_import


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on disk, forgotten after the test, whose code reads what a mend sets before."""
    folder = tmp_path / 'to_be_mended'
    folder.mkdir()
    (folder / '__init__.py').write_text('seen = globals().get("early")\nvalue = 1\n')
    (folder / 'part.py').write_text('value = 2\n')
    monkeypatch.syspath_prepend(tmp_path)
    yield 'to_be_mended'
    for name in ('to_be_mended', 'to_be_mended.part'):
        sys.modules.pop(name, None)
        on_import._FINDER.mends.pop(name, None)


def mend_with(calls):
    @contextmanager
    def mend(module):
        calls.append(module.__name__)
        module.early = 'set before the code ran'
        yield
        module.value = 'set after the code ran'

    return mend


def test_runs_around_the_code(package):
    calls = []
    mend_on_import(package, mend_with(calls))
    assert calls == []
    module = importlib.import_module(package)
    assert calls == [package]
    assert module.seen == 'set before the code ran'
    assert module.value == 'set after the code ran'
    assert type(module.__loader__).__name__ == 'SourceFileLoader'
    assert module.__spec__.loader is module.__loader__


def test_submodule(package):
    mend_on_import(f'{package}.part', mend_with([]))
    assert importlib.import_module(package).value == 1
    assert importlib.import_module(f'{package}.part').value == 'set after the code ran'


def test_already_imported(package):
    module = importlib.import_module(package)
    mend_on_import(package, mend_with([]))
    assert module.value == 'set after the code ran'


def test_second_call_changes_nothing(package):
    calls = []
    mend_on_import(package, mend_with(calls))
    importlib.import_module(package)
    mend_on_import(package, mend_with(calls))
    assert calls == [package]


def test_absent_module_stays_an_import_error():
    mend_on_import('no_such_module_here', mend_with([]))
    try:
        with pytest.raises(ModuleNotFoundError, match='no_such_module_here'):
            importlib.import_module('no_such_module_here')
    finally:
        del on_import._FINDER.mends['no_such_module_here']
