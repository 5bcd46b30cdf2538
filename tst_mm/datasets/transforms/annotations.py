"""The annotations in a pipeline's results follow a draw: boxes, instance masks, label maps."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from tst_mm.augment import Draw, move_boxes, move_maps, move_points

#: Lists with one entry an instance, which lose the entries of dropped instances.
_PER_INSTANCE = ('gt_bboxes_labels', 'gt_ignore_flags', 'gt_instances_ids')
#: What OpenCV samples; it is several times as fast as the general way.
_OPENCV = (np.uint8, np.int16, np.uint16, np.float32)


def move_annotations(
    results: dict[str, Any], draw: Draw, seg_pad_val: int, min_size: float, min_visible: float
) -> None:
    """Put moved annotations into ``results``; the old ones are not modified.

    Args:
        results: Of a pipeline; keys as in :class:`LearnedAugment`.
        draw: Of one image, which a geometric operator moves.
        seg_pad_val: Label of pixels that come from outside.
        min_size: See :func:`tst_mm.augment.move_boxes`.
        min_visible: See :func:`tst_mm.augment.move_boxes`.

    Raises:
        TypeError: Boxes or masks of a kind that cannot follow.
        ValueError: A label map of another size than the image.
    """
    boxes, masks = results.get('gt_bboxes'), results.get('gt_masks')
    if masks is not None:
        _check_masks(masks)
    if boxes is not None or masks is not None:
        known = _box_tensor(boxes) if boxes is not None else _box_tensor(masks.get_bboxes('hbox'))
        count = len(known)
        moved, keep = move_boxes(
            known,
            draw.matrix.expand(count, 3, 3),
            draw.extents.expand(count, 2),
            min_size,
            min_visible,
        )
        kept = keep.numpy()
        if boxes is not None:
            results['gt_bboxes'] = _like(boxes, moved[keep])
        if masks is not None:
            results['gt_masks'] = _move_masks(masks, draw, kept)
        for key in _PER_INSTANCE:
            if key in results:
                results[key] = results[key][kept]
    if results.get('gt_seg_map') is not None:
        results['gt_seg_map'] = _move_map(results['gt_seg_map'], draw, seg_pad_val, 'gt_seg_map')


def _box_tensor(boxes: Any) -> Tensor:
    """(n, 4) x1, y1, x2, y2 in float32."""
    if not isinstance(boxes, np.ndarray):
        if type(boxes).__name__ != 'HorizontalBoxes':
            raise TypeError(
                f'gt_bboxes are {type(boxes).__name__}; allowed: HorizontalBoxes, or an array of '
                'x1, y1, x2, y2'
            )
        return boxes.tensor
    return torch.from_numpy(np.asarray(boxes, np.float32).reshape(-1, 4))


def _like(boxes: Any, moved: Tensor) -> Any:
    """Boxes of the same kind."""
    if isinstance(boxes, np.ndarray):
        return moved.numpy().astype(boxes.dtype, copy=False)
    return type(boxes)(moved)


def _check_masks(masks: Any) -> None:
    if type(masks).__name__ not in ('BitmapMasks', 'PolygonMasks'):
        raise TypeError(
            f'gt_masks are {type(masks).__name__}; allowed: BitmapMasks or PolygonMasks'
        )


def _move_masks(masks: Any, draw: Draw, keep: np.ndarray) -> Any:
    """Those instance masks that are kept, moved."""
    if type(masks).__name__ == 'PolygonMasks':
        moved = [
            [_move_polygon(part, draw) for part in masks.masks[i]] for i in np.flatnonzero(keep)
        ]
    else:
        moved = masks.masks[keep]  # a copy
        for i, mask in enumerate(moved):
            moved[i] = _move_map(mask, draw, 0, 'gt_masks')
    return type(masks)(moved, masks.height, masks.width)


def _move_polygon(polygon: np.ndarray, draw: Draw) -> np.ndarray:
    points = torch.from_numpy(np.asarray(polygon)).view(1, -1, 2)
    return move_points(points, draw.matrix).view(-1).numpy()


def _move_map(label_map: np.ndarray, draw: Draw, fill: int, name: str) -> np.ndarray:
    """One (H, W) map by nearest sampling."""
    if label_map.shape != draw.sizes[0]:
        raise ValueError(
            f'{name} is {label_map.shape}; allowed: the size of the image, {draw.sizes[0]}'
        )
    label_map = np.ascontiguousarray(label_map)
    if label_map.dtype not in _OPENCV:
        maps = torch.from_numpy(label_map)[None]
        return move_maps(maps, draw.matrix, draw.extents, fill)[0].numpy()
    # Here pixel i covers [i, i + 1]; for OpenCV its centre is at i.
    matrix = draw.matrix[0].double().numpy()
    linear, shift = matrix[:2, :2], matrix[:2, 2]
    shift = shift + linear @ (0.5, 0.5) - 0.5
    return cv2.warpAffine(
        label_map,
        np.column_stack((linear, shift)),
        label_map.shape[::-1],
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )
