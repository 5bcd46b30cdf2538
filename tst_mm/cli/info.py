"""Say what is installed, on which devices it runs, and which tasks can be distilled here.

Examples:
  tst info
"""

import os
import platform
import sys
from argparse import ArgumentParser, Namespace
from importlib.util import find_spec

from tst_mm.compat.versions import DISTRIBUTIONS, installed_version, provider
from tst_mm.version import __version__

#: The task of each library, and a config to begin with.
_TASKS = {
    'mmpretrain': ('classification', 'mmpretrain::resnet/resnet18_8xb32_in1k.py'),
    'mmdet': ('detection', 'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py'),
    'mmseg': ('segmentation', 'mmseg::pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py'),
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command: there are none."""


def run(args: Namespace) -> None:
    """Print a line for each thing."""
    del args
    print(f'tst_mm       {__version__}  ({os.path.dirname(os.path.dirname(__file__))})')
    print(f'Python       {platform.python_version()}  ({sys.executable})')
    for module in ('torch', 'mmengine', 'mmcv', *_TASKS):
        found = provider(module)
        print(f'{module:13}{f"{found[1]}  ({found[0]})" if found else "not installed"}')
    print(f'mmrazor      {installed_version("mmrazor") or "not installed"}')
    for name in _devices():
        print(f'device       {name}')
    for library, (task, example) in _TASKS.items():
        missing = [name for name in (library, 'mmrazor') if not find_spec(name)]
        there = f'needs {" and ".join(missing)}' if missing else f'for example {example}'
        print(f'{task:16}{there}')
    assert set(_TASKS) <= set(DISTRIBUTIONS)


def _devices() -> list[str]:
    """The devices that torch can use."""
    import torch

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [*gpus, f'CPU, {len(os.sched_getaffinity(0))} cores']
