"""mmcv's C++ sources, put together so that torch's headers are read twice and not 78 times.

Nearly all the time of a compilation goes into torch's headers, not into the operators. Only the
binding to Python, whose headers are the largest, stays a file of its own: two files, which two
processors compile side by side.
"""

from __future__ import annotations

from pathlib import Path

#: The file that is compiled on its own.
_ALONE = 'pybind.cpp'
#: What it includes, and the part of that which it needs.
_ALL, _NEEDED = '<torch/extension.h>', '<torch/csrc/utils/pybind.h>'
#: What it is put into, before everything else: headers, which no macro below may reach.
_FIRST = '#include <torch/script.h>\n#include <vector>\n'
#: Helpers that several files define under the same names, each for itself.
_HELPERS = (
    'PreCalc',
    'add',
    'bilinear_interpolate',
    'bilinear_interpolate_gradient',
    'pre_calc_for_bilinear_interpolate',
)
#: Macros that a file leaves behind.
_LEFT_BEHIND = ('min', 'max')


def unite(folder: Path) -> Path:
    """Put the sources of a folder, and of ``cpu`` in it, into one.

    The sources themselves are renamed to ``*.inc``, so that mmcv's own build finds the one file and
    ``pybind.cpp``. Other folders, such as ``cuda``, stay as they are.

    Args:
        folder: The folder ``mmcv/ops/csrc/pytorch`` of an unpacked source package.

    Returns:
        The new file.
    """
    text = _FIRST
    for source in sorted([*folder.glob('*.cpp'), *folder.glob('cpu/*.cpp')]):
        if source.name != _ALONE:
            text += _included(source.rename(source.with_suffix('.inc')), folder)
    alone = folder / _ALONE
    alone.write_text(alone.read_text(encoding='utf-8').replace(_ALL, _NEEDED), encoding='utf-8')
    united = folder / 'united.cpp'
    united.write_text(text, encoding='utf-8')
    return united


def _included(source: Path, folder: Path) -> str:
    """Lines that include a file, with names of its own for the helpers in it."""
    lines = [f'#define {name} {name}_of_{source.stem}' for name in _HELPERS]
    lines.append(f'#include "{source.relative_to(folder)}"')
    lines += [f'#undef {name}' for name in (*_HELPERS, *_LEFT_BEHIND)]
    return '\n'.join(lines) + '\n'
