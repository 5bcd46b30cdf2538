"""One check of what is installed, with the command that mends what is wrong."""

import importlib.util
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.version import Version

#: The distributions that provide a package, by its import name, the maintained fork first.
DISTRIBUTIONS = {
    'mmengine': ('onedl-mmengine', 'mmengine', 'mmengine-lite'),
    'mmcv': ('onedl-mmcv', 'mmcv', 'mmcv-lite'),
    'mmdet': ('onedl-mmdetection', 'mmdet'),
    'mmseg': ('onedl-mmsegmentation', 'mmsegmentation'),
    'mmpretrain': ('onedl-mmpretrain', 'mmpretrain'),
    'torch': ('torch',),
}
#: The lowest version that works, the first that does not, and what to install, by import name.
REQUIRED = {
    'torch': ('2.1', None, 'torch'),
    'mmengine': ('0.10.0', '1.0', 'onedl-mmengine==0.10.12'),
    'mmcv': ('2.0.1', '2.4', 'onedl-mmcv==2.3.6'),
}
#: The libraries that import mmcv's compiled operators.
_NEED_OPERATORS = ('mmdet', 'mmseg')


@cache
def installed_version(distribution: str) -> str | None:
    """The version of a distribution, or None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def provider(module: str) -> tuple[str, str] | None:
    """The installed distribution that provides a module of OpenMMLab.

    Args:
        module: The import name, a key of ``DISTRIBUTIONS``.

    Returns:
        The name and the version of the distribution, or None where none is installed.
    """
    for name in DISTRIBUTIONS[module]:
        found = installed_version(name)
        if found is not None:
            return name, found
    return None


def check_versions() -> None:
    """Check torch, MMEngine and mmcv; a missing task library is no error here.

    Raises:
        ImportError: A package is missing or of the wrong version; the error names it, what was
            found, what is needed, and the command that mends it.
    """
    for module, (lowest, beyond, command) in REQUIRED.items():
        found = provider(module)
        wanted = f'>= {lowest}' + (f', < {beyond}' if beyond else '')
        if found is None:
            raise ImportError(
                f'tst_mm needs {module} {wanted}, which is not installed: run '
                f"`pip install '{command}'`, or `make setup` in a clone of tst_mm for everything"
            )
        name, text = found
        if Version(text) < Version(lowest) or (beyond and Version(text) >= Version(beyond)):
            raise ImportError(
                f'tst_mm needs {module} {wanted}, but {name} {text} is installed: '
                f"run `pip install '{command}'` in a fresh environment"
            )
    _check_operators()


def _check_operators() -> None:
    """Refuse an mmcv without its compiled operators beside a library that imports them."""
    user = next((module for module in _NEED_OPERATORS if provider(module)), None)
    found = provider('mmcv')
    if user is None or found is None or _has_operators():
        return
    name, text = found
    build = 'onedl-mmcv' if name == 'onedl-mmcv' else 'mmcv'
    raise ImportError(
        f'{name} {text} is installed without its compiled operators (no mmcv._ext), which {user} '
        f'needs; build them against the installed torch: run `pip uninstall -y {name} && '
        f"pip install 'setuptools>=80,<81' wheel ninja && "
        f"pip install --no-build-isolation --no-cache-dir --no-deps '{build}=={text}'`"
    )


def _has_operators() -> bool:
    """Whether mmcv's extension module lies in its folder (mmcv is not imported for this)."""
    spec = importlib.util.find_spec('mmcv')
    folders = (spec.submodule_search_locations if spec else None) or []
    return any(path for folder in folders for path in Path(folder).glob('_ext.*'))
