"""Mend: MMRazor 1.0.0 (the last release) beside mmcv > 2.1.0 and torch >= 2.0.

MMRazor refuses mmcv > 2.1.0 at import, and its quantization is written against parts of
``torch.ao.quantization`` that torch 2.0 renamed or dropped. It accepts the mmcv that is installed
here, and is told that torch is older than 1.13, whereupon it takes its own branches without
quantization. Distillation (recorders, connectors, losses, ``ConfigurableDistiller``) is complete;
MMRazor's quantization and FX tracer are not available. This mend can go when MMRazor makes a
release for current torch.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tst_mm.compat.versions import installed_version

_NEWEST_ACCEPTED_MMCV = '2.1.0'
_TORCH_WITHOUT_QUANTIZATION = '1.12.1'


@contextmanager
def accepted_versions(mmrazor: ModuleType) -> Iterator[None]:
    """Let MMRazor import, whatever mmcv and torch are installed.

    Args:
        mmrazor: The module ``mmrazor``, not yet executed.
    """
    import mmcv
    from mmengine.utils import digit_version

    version = mmcv.__version__
    if digit_version(version) > digit_version(_NEWEST_ACCEPTED_MMCV):
        mmcv.__version__ = _NEWEST_ACCEPTED_MMCV
    try:
        yield
    finally:
        mmcv.__version__ = version
    if not _torch_has_what_quantization_needs():
        mmrazor.digit_version = _digit_version_of_old_torch  # read by all of its modules


def _torch_has_what_quantization_needs() -> bool:
    """Whether torch still has the names that MMRazor imports."""
    from torch.ao.quantization import fuser_method_mappings

    return hasattr(fuser_method_mappings, 'reverse2')


def _digit_version_of_old_torch(version: str, *args: object) -> tuple[int, ...]:
    """As ``mmengine.utils.digit_version``, but read the version of torch itself as 1.12.1."""
    import torch
    from mmengine.utils import digit_version

    is_torch = version == torch.__version__
    return digit_version(_TORCH_WITHOUT_QUANTIZATION if is_torch else version, *args)


def load_mmrazor() -> ModuleType:
    """Import MMRazor with everything registered, or say clearly how to get it.

    Returns:
        The module ``mmrazor``; ``mmrazor.models`` is imported too, so its distillers, recorders,
        connectors and losses are in the registries.

    Raises:
        ImportError: MMRazor or something that it needs is not installed.
    """
    if installed_version('mmrazor') is None:
        raise ImportError(
            'distillation needs MMRazor, which is not installed: '
            "run `pip install --no-deps 'mmrazor==1.0.0' && pip install joblib ordered-set`"
        )
    try:
        importlib.import_module('mmrazor.models')
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith('mmrazor'):
            raise
        raise ImportError(
            f'MMRazor {installed_version("mmrazor")} needs the package {error.name!r}, which is '
            f'not installed: run `pip install {error.name}`'
        ) from error
    return importlib.import_module('mmrazor')
