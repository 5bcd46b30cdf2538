"""Mend: MMEngine knows the libraries whose configs can be inherited by a fixed list of names.

Without an entry ``_base_ = 'tst_mm::...'`` and ``get_config('tst_mm::...')`` are refused. Can go
when MMEngine resolves any installed package.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tst_mm.compat.mmsegmentation import name_of_the_fork


@contextmanager
def known_addresses(config_utils: ModuleType) -> Iterator[None]:
    """Add ``tst_mm`` to the list, and put right what mmseg is called there.

    Args:
        config_utils: ``mmengine.config.utils``.
    """
    with name_of_the_fork(config_utils):
        yield
    config_utils.MODULE2PACKAGE.setdefault('tst_mm', 'tst_mm')
