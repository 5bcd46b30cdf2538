"""What the set-up needs of the machine, checked before anything is downloaded."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from setup_steps.console import SetupError

#: The oldest and the newest Python that a family is set up with, and the one to install. The
#: original packages are old: they were run with one Python only.
PYTHONS = {'default': ((3, 10), (3, 13)), 'classic': ((3, 11), (3, 11))}
PREFERRED = '3.11'
_APT = 'sudo apt-get install'


def check_python(family: str = 'default') -> None:
    """Check version, venv and platform of the running Python.

    Args:
        family: The family of packages, a key of ``PYTHONS``. Defaults to ``'default'``.

    Raises:
        SetupError: The Python is too old or too new, or cannot make virtual environments.
    """
    oldest, newest = PYTHONS[family]
    if not oldest <= sys.version_info[:2] <= newest:
        low, high = ('.'.join(map(str, version)) for version in (oldest, newest))
        wanted = low if low == high else f'{low} to {high}'
        raise SetupError(
            f'Python {wanted} is needed, but {sys.executable} is {sys.version.split()[0]}',
            f'install one ({_APT} python{PREFERRED} python{PREFERRED}-venv python{PREFERRED}-dev, '
            f'or pyenv or conda) and run again; PYTHON=/path/to/python{PREFERRED} make setup picks '
            'one',
        )
    if importlib.util.find_spec('ensurepip') is None:
        raise SetupError(
            f'{sys.executable} cannot make virtual environments (no module ensurepip)',
            f'{_APT} python{running()}-venv',
        )


def running() -> str:
    """The version of the running Python as in the names of packages, such as ``3.11``."""
    return '.'.join(map(str, sys.version_info[:2]))


def check_compiler() -> None:
    """Check that C++ extensions of Python can be compiled.

    Raises:
        SetupError: There is no C++ compiler, or the headers of Python are missing.
    """
    if shutil.which(compiler()) is None:
        raise SetupError(
            f"no C++ compiler ({compiler()!r} is not there), which mmcv's operators need",
            f'{_APT} g++',
        )
    header = Path(sysconfig.get_paths()['include'], 'Python.h')
    if not header.is_file():
        raise SetupError(
            f"Python's headers are missing ({header}), which mmcv's operators need",
            f'{_APT} python{running()}-dev',
        )


def compiler() -> str:
    """The C++ compiler that torch's build uses."""
    return os.environ.get('CXX', 'c++')


def check_disk(folder: Path) -> None:
    """Check the free space.

    Args:
        folder: The folder that the virtual environment goes to.

    Raises:
        SetupError: Less is free than a first set-up takes.
    """
    need = 12 if shutil.which('nvidia-smi') else 4
    free = shutil.disk_usage(folder).free / 1e9
    if free < need:
        raise SetupError(
            f'{free:.1f} GB are free in {folder}, {need} GB are needed',
            'free some space, or clone tst_mm to another disk',
        )


def parallel_jobs(cpus: int, free_gb: float) -> int:
    """How many compilers may run at once: one a processor, and 1.2 GB of memory for each.

    Args:
        cpus: The number of processors that may be used.
        free_gb: The free memory in GB.
    """
    return max(1, min(cpus, int(free_gb / 1.2)))


def free_memory_gb() -> float:
    """Free memory in GB, the limit of a container included; 2.4 where it is not known."""
    found = []
    try:
        for line in Path('/proc/meminfo').read_text(encoding='ascii').splitlines():
            if line.startswith('MemAvailable:'):
                found.append(int(line.split()[1]) / 1e6)
        limit = Path('/sys/fs/cgroup/memory.max').read_text(encoding='ascii').strip()
        if limit != 'max':
            found.append(int(limit) / 1e9)
    except OSError:  # not Linux, or no cgroup
        pass
    return min(found, default=2.4)
