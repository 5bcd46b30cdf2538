"""Which labels stay where they are when an image moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement, PixelData
from torch import Tensor

from tst_mm.augment import Draw, LearnedAugmenter

#: How far images move, as a part of their valid width and height.
_SHIFT = 0.3
#: Words in names of labels that are places, whatever their shape.
_WORDS = ('box', 'mask', 'point', 'polygon', 'center', 'centre', 'seg', 'depth', 'edge')
#: How many numbers a point or a box has.
_NUMBERS = (2, 4, 5)
#: Words in names of what only goes with places.
_NO_PLACES = ('label', 'score', 'weight', 'visib')


def large_shift(augmenter: LearnedAugmenter, sizes: list[tuple[int, int]]) -> Draw:
    """A draw of the augmenter in which all images move right and down, and nothing else happens.

    Args:
        augmenter: Draws it; its random numbers go on.
        sizes: Height and width of the valid area of each of the B images, in pixels.
    """
    count, operators = len(sizes), len(augmenter.operators)
    acts = torch.zeros(count, operators, dtype=torch.bool)
    draw = augmenter.assemble(sizes, augmenter.noise(count), acts, torch.zeros(count, operators))
    matrix = torch.eye(3).repeat(count, 1, 1)
    matrix[:, :2, 2] = torch.tensor(sizes).flip(1).mul(_SHIFT).round().clamp(min=1)
    return replace(draw, matrix=matrix, moved_images=tuple(range(count)))


def places(sample: Any) -> dict[str, Any]:
    """The labels of a data sample that are places in its image, by name; copies.

    Judged by their shapes and names, and not by who moves them.
    """
    if not isinstance(sample, BaseDataElement):
        return {}
    sizes = (sample.get(key) for key in ('img_shape', 'pad_shape', 'batch_input_shape'))
    return dict(_places(sample, '', {tuple(size[:2]) for size in sizes if size is not None}))


def stays(before: Any, after: Any, size: tuple[int, int]) -> bool:
    """Whether a label has places that would move, and all are where they were.

    Args:
        before: A value of :func:`places`, before the image moved.
        after: The same, afterwards.
        size: Height and width of the valid area of the image.
    """
    if not isinstance(before, np.ndarray) or before.shape != np.shape(after):
        return False
    if before.ndim > 2 or before.shape[-1] not in _NUMBERS:  # a map may be the same all over
        inside = before[..., : size[0], : size[1]]
        content = bool(inside.size) and bool((inside != inside.flat[0]).any())
    else:
        content = before.size > 0
    return content and np.array_equal(before, after)


def _places(
    element: BaseDataElement, where: str, sizes: set[tuple[int, ...]]
) -> Iterator[tuple[str, Any]]:
    maps = isinstance(element, PixelData)
    for key, value in element.items():
        name = f'{where}{key}'
        if isinstance(value, BaseDataElement):
            yield from _places(value, f'{name}.', sizes)
        elif hasattr(value, 'masks') and hasattr(value, 'height'):  # bitmaps and polygons of mmdet
            yield name, _flat(value.masks)
        elif hasattr(value, 'tensor') and isinstance(value.tensor, Tensor):  # boxes of mmdet
            yield name, _numbers(value.tensor)
        elif isinstance(value, (Tensor, np.ndarray)):
            named = any(word in key.lower() for word in _WORDS)
            points = value.ndim == 2 and value.shape[1] in _NUMBERS
            points &= named and not any(word in key.lower() for word in _NO_PLACES)
            if maps or value.ndim > 2 or tuple(value.shape) in sizes or points:
                yield name, _numbers(value)


def _flat(masks: Any) -> np.ndarray:
    if isinstance(masks, np.ndarray):
        return masks.copy()
    parts = [np.asarray(part, dtype=float).ravel() for polygons in masks for part in polygons]
    return np.concatenate(parts) if parts else np.zeros(0)


def _numbers(value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()
    return np.array(value)
