"""Mend: a CUDA build of torchvision cannot be imported beside a CPU build of torch.

Its compiled operators do not load, and ``import torchvision`` then fails with ``RuntimeError:
operator torchvision::nms does not exist``, which the ``except ImportError`` of mmpretrain, mmdet
and mmseg does not catch. Declaring the two operators is enough: transforms, models and ``box_iou``
work, the compiled operators raise torchvision's own error when called. This mend can go when
torchvision imports without its operators again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

_SCHEMAS = {
    'nms': '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
    'qnms': '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
}
#: A declaration lives as long as the library object that made it.
_DECLARED: list[object] = []


@contextmanager
def declared_operators(module: ModuleType) -> Iterator[None]:
    """Declare torchvision's operators unless its own library provides them.

    Args:
        module: The module ``torchvision``, not yet executed.
    """
    import torch

    for folder in module.__path__:
        for library in Path(folder).glob('_C*.so'):
            try:
                torch.ops.load_library(library)
            except OSError:  # the library was built for another torch
                continue
    missing = [name for name in _SCHEMAS if not hasattr(torch.ops.torchvision, name)]
    if missing:
        fragment = torch.library.Library('torchvision', 'FRAGMENT')
        for name in missing:
            fragment.define(name + _SCHEMAS[name])
        _DECLARED.append(fragment)
    yield
