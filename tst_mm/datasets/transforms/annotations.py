"""The annotations in a pipeline's results follow a draw: boxes, masks, key points, maps."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from tst_mm.augment import Draw, move_boxes, move_keypoints, move_maps, move_points

#: Keys of lists with one entry for each instance, which lose the entries of dropped instances.
_PER_INSTANCE = (
    'gt_bboxes_labels',
    'gt_ignore_flags',
    'gt_instances_ids',
    'gt_keypoints',
    'gt_keypoints_visible',
)
#: The dtypes that OpenCV samples; it is several times as fast as the general way.
_OPENCV = (np.uint8, np.int16, np.uint16, np.float32)


def move_annotations(
    results: dict[str, Any], draw: Draw, seg_pad_val: int, min_size: float, min_visible: float
) -> None:
    """Put moved annotations into ``results``; the old ones are not modified.

    Args:
        results: The results of a pipeline, with keys as in :class:`LearnedAugment`.
        draw: The draw for one image, in which a geometric operator moves it.
        seg_pad_val: The label of pixels that come from outside.
        min_size: The shortest side of a box that is kept, in pixels; see
            :func:`tst_mm.augment.move_boxes`.
        min_visible: The smallest part of a box, in [0, 1], that must stay inside; see
            :func:`tst_mm.augment.move_boxes`.

    Raises:
        TypeError: Boxes or masks are of a kind that cannot follow.
        ValueError: A label map has another size than the image.
    """
    _refuse_unknown_places(results)
    boxes, masks = results.get('gt_bboxes'), results.get('gt_masks')
    if masks is not None:
        _check_masks(masks)
    if results.get('gt_keypoints') is not None:
        results['gt_keypoints'] = _move_keypoints(results['gt_keypoints'], draw)
    if boxes is not None or masks is not None:
        known = _box_tensor(boxes) if boxes is not None else _box_tensor(masks.get_bboxes('hbox'))
        moved, keep = _move_boxes(known, draw, min_size, min_visible)
        kept = keep.numpy()
        if boxes is not None:
            results['gt_bboxes'] = _like(boxes, moved[keep])
        if masks is not None:
            results['gt_masks'] = _move_masks(masks, draw, kept)
        for key in _PER_INSTANCE:
            if results.get(key) is not None:
                results[key] = results[key][kept]
    if results.get('proposals') is not None:
        proposals = results['proposals']
        known = _box_tensor(proposals, 'proposals')
        moved, keep = _move_boxes(known, draw, min_size, min_visible)
        results['proposals'] = _like(proposals, moved[keep])
        if results.get('proposals_scores') is not None:
            results['proposals_scores'] = results['proposals_scores'][keep.numpy()]
    for key in _maps(results):
        outside = seg_pad_val
        if 'edge' in key or results[key].dtype.kind in 'fb':
            outside = 0  # outside there is no edge and no depth
        results[key] = _move_map(results[key], draw, outside, key)


def _maps(results: dict[str, Any]) -> list[str]:
    """The keys of label, edge and depth maps: the pipeline's, and all that hold ground truth."""
    listed = [key for key in results.get('seg_fields', ()) if results.get(key) is not None]
    found = [
        key
        for key, value in results.items()
        if key.startswith('gt_') and isinstance(value, np.ndarray) and _is_map(key, value)
    ]
    return list(dict.fromkeys([*listed, *found]))


def _is_map(key: str, value: np.ndarray) -> bool:
    return value.ndim == 2 and key.endswith(('_map', '_seg', '_depth'))


def _refuse_unknown_places(results: dict[str, Any]) -> None:
    """Raise for ground truth that may hold places in the image and is of no kind that can move."""
    known = {'gt_bboxes', 'gt_masks', *_PER_INSTANCE, *_maps(results)}
    for key, value in results.items():
        if not key.startswith('gt_') or key in known or not isinstance(value, np.ndarray):
            continue
        places = value.dtype.kind == 'f' and value.ndim > 1 and value.shape[-1] in (2, 4, 5)
        if places or value.shape[:2] == results['img'].shape[:2]:
            raise TypeError(
                f'{key} is an array of {value.shape}, which may lie in the image, and it is not '
                f'known of what kind; allowed: gt_bboxes, gt_masks, gt_keypoints, proposals, maps '
                f'(gt_..._map, or listed in seg_fields)'
            )


def _move_boxes(
    boxes: Tensor, draw: Draw, min_size: float, min_visible: float
) -> tuple[Tensor, Tensor]:
    count = len(boxes)
    motion = draw.matrix.expand(count, 3, 3), draw.extents.expand(count, 2)
    return move_boxes(boxes, *motion, min_size, min_visible)


def _move_keypoints(keypoints: np.ndarray, draw: Draw) -> np.ndarray:
    """Move key points, (n, k, 2), or (n, k, 3) with visibility, which is 0 outside of the image."""
    count = len(keypoints)
    moved = np.array(keypoints)
    points, inside = move_keypoints(
        torch.from_numpy(moved[..., :2]),
        draw.matrix.expand(count, 3, 3),
        draw.extents.expand(count, 2),
    )
    moved[..., :2] = points.numpy()
    if moved.shape[-1] == 3:
        moved[..., 2] *= inside.numpy()
    return moved


def _box_tensor(boxes: Any, what: str = 'gt_bboxes') -> Tensor:
    """The corners x1, y1, x2, y2 of boxes, (n, 4) in float32."""
    if not isinstance(boxes, np.ndarray):
        if type(boxes).__name__ != 'HorizontalBoxes':
            raise TypeError(
                f'{what} are {type(boxes).__name__}; allowed: HorizontalBoxes, or an array of '
                'x1, y1, x2, y2'
            )
        return boxes.tensor
    return torch.from_numpy(np.asarray(boxes, np.float32).reshape(-1, 4))


def _like(boxes: Any, moved: Tensor) -> Any:
    """Put moved boxes into the same kind of container that they came in."""
    if isinstance(boxes, np.ndarray):
        return moved.numpy().astype(boxes.dtype, copy=False)
    return type(boxes)(moved)


def _check_masks(masks: Any) -> None:
    if type(masks).__name__ not in ('BitmapMasks', 'PolygonMasks'):
        raise TypeError(
            f'gt_masks are {type(masks).__name__}; allowed: BitmapMasks or PolygonMasks'
        )


def _move_masks(masks: Any, draw: Draw, keep: np.ndarray) -> Any:
    """Move the instance masks that are kept."""
    if type(masks).__name__ == 'PolygonMasks':
        moved = [
            [_move_polygon(part, draw) for part in masks.masks[i]] for i in np.flatnonzero(keep)
        ]
    else:
        moved = masks.masks[keep]  # indexing makes a copy
        for i, mask in enumerate(moved):
            moved[i] = _move_map(mask, draw, 0, 'gt_masks')
    return type(masks)(moved, masks.height, masks.width)


def _move_polygon(polygon: np.ndarray, draw: Draw) -> np.ndarray:
    points = torch.from_numpy(np.asarray(polygon)).view(1, -1, 2)
    return move_points(points, draw.matrix).view(-1).numpy()


def _move_map(label_map: np.ndarray, draw: Draw, fill: int, name: str) -> np.ndarray:
    """Move one map, (H, W), by nearest sampling."""
    if label_map.shape != draw.sizes[0]:
        raise ValueError(
            f'{name} is {label_map.shape}; allowed: the size of the image, {draw.sizes[0]}'
        )
    label_map = np.ascontiguousarray(label_map)
    if label_map.dtype not in _OPENCV:
        maps = torch.from_numpy(label_map)[None]
        return move_maps(maps, draw.matrix, draw.extents, fill)[0].numpy()
    # Here pixel i covers [i, i + 1]; OpenCV puts its centre at i.
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
