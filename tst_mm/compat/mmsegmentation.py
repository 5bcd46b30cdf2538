"""Mend: MMEngine looks for mmseg under the name of the original distribution only.

With onedl-mmsegmentation installed, ``_base_='mmseg::…'`` fails and ``get_config('mmseg::…')`` runs
``pip install mmsegmentation`` by itself, which overwrites the fork. Can go when onedl-mmengine maps
``mmseg`` to ``onedl-mmsegmentation``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tst_mm.compat.versions import installed_version


@contextmanager
def name_of_the_fork(config_utils: ModuleType) -> Iterator[None]:
    """Map ``mmseg`` to the distribution that is installed.

    Args:
        config_utils: ``mmengine.config.utils``.
    """
    yield
    if installed_version('onedl-mmsegmentation') and not installed_version('mmsegmentation'):
        config_utils.MODULE2PACKAGE['mmseg'] = 'onedl-mmsegmentation'
