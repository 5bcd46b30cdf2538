"""Where figures were measured: versions, commit, machine, threads."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import tst_mm
from tst_mm.utils.git import git_changed, git_commit

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ('torch', 'torchvision', 'kornia', 'numpy', 'mmrazor')
_FAMILIES = {
    'mmengine': ('onedl-mmengine', 'mmengine'),
    'mmcv': ('onedl-mmcv', 'mmcv'),
    'mmdet': ('onedl-mmdetection', 'mmdet'),
    'mmseg': ('onedl-mmsegmentation', 'mmsegmentation'),
    'mmpretrain': ('onedl-mmpretrain', 'mmpretrain'),
}


def describe(device: torch.device, precision: str | None = None) -> dict[str, Any]:
    """Everything a figure depends on beside the code."""
    cuda = device.type == 'cuda'
    return {
        'commit': git_commit(_ROOT, short=True) or 'unknown',
        'modified': git_changed(_ROOT, ['tst_mm', 'benchmarks']),
        'device': torch.cuda.get_device_name(device) if cuda else _processor(),
        'device_type': device.type,
        'threads': torch.get_num_threads(),
        'precision': precision or 'float32',
        'python': platform.python_version(),
        'versions': {
            'tst_mm': tst_mm.__version__,
            **{name: _version(name) for name in _PACKAGES},
            **{name: _version(*names) for name, names in _FAMILIES.items()},
        },
    }


def _version(*names: str) -> str:
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return 'not installed'


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return f'{names[0]}, {len(names)} cores' if names else platform.machine()
