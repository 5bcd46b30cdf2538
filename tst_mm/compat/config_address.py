"""Mend: MMEngine knows the libraries whose configs can be inherited by a fixed list of names.

Without an entry ``_base_ = 'tst_mm::...'`` and ``get_config('tst_mm::...')`` are refused. And what
is inherited from another library is built in that library's scope, whereas our configs consist of
parts of mmpretrain, mmdet and mmseg: inherited by address they mean what they mean as files. Up to
0.10.7 it also looks for an editable installation where it is not. This mend can go when MMEngine
resolves any installed package.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from tst_mm.compat.mmsegmentation import name_of_the_fork

_NAME = 'tst_mm'


@contextmanager
def known_addresses(config_utils: ModuleType) -> Iterator[None]:
    """Add ``tst_mm`` to the list, and put right what mmseg is called there.

    Args:
        config_utils: The module ``mmengine.config.utils``.
    """
    with name_of_the_fork(config_utils):
        yield
    config_utils.MODULE2PACKAGE.setdefault(_NAME, _NAME)


@contextmanager
def no_scope_of_our_own(config: ModuleType) -> Iterator[None]:
    """Let configs inherited as ``tst_mm::`` keep the scope of the inheriting one.

    Args:
        config: The module ``mmengine.config.config``.
    """
    with own_folder(config):
        yield
    find = config.Config._get_cfg_path

    def find_without_scope(cfg_path: str, filename: str) -> tuple[str, str | None]:
        path, scope = find(cfg_path, filename)
        return path, None if scope == _NAME else scope

    config.Config._get_cfg_path = staticmethod(find_without_scope)


@contextmanager
def own_folder(module: ModuleType) -> Iterator[None]:
    """Let a module of MMEngine find tst_mm where it was imported from.

    Args:
        module: A module that has the name ``get_installed_path``.
    """
    yield
    find = module.get_installed_path

    def find_imported(package: str) -> str:
        return str(Path(__file__).parents[1]) if package == _NAME else find(package)

    module.get_installed_path = find_imported  # type: ignore[attr-defined]
