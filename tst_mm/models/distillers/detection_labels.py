"""mmdet's data samples follow a draw: boxes, instance masks, ignored regions, semantic maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from torch import Tensor

from tst_mm.augment import Draw, move_boxes, move_maps, move_points

#: Instance annotations whose boxes move.
_INSTANCES = ('gt_instances', 'ignored_instances')


def move_detection_labels(
    data_samples: list, draw: Draw, min_size: float, min_visible: float
) -> list:
    """Data samples with moved labels; the given ones are never modified.

    Args:
        data_samples: B ``DetDataSample``.
        draw: Of the B images.
        min_size: See :func:`move_boxes`.
        min_visible: See :func:`move_boxes`.

    Returns:
        B data samples: the given one where no geometric operator acts, else a new one.
    """
    moved = [
        sample.new() if i in draw.moved_images else sample for i, sample in enumerate(data_samples)
    ]
    for kind in _INSTANCES:
        rows = [i for i in draw.moved_images if kind in data_samples[i]]
        instances = [data_samples[i].get(kind) for i in rows]
        for i, new in zip(
            rows, _move_instances(instances, rows, draw, min_size, min_visible), strict=True
        ):
            setattr(moved[i], kind, new)
    for i in draw.moved_images:
        if 'gt_sem_seg' in data_samples[i]:
            moved[i].gt_sem_seg = move_semantic(data_samples[i].gt_sem_seg, draw, i, 255)
    return moved


def move_semantic(label_map: PixelData, draw: Draw, image: int, ignore_index: int) -> PixelData:
    """One (1, H, W) label map, moved; what comes from outside is ignored."""
    data = move_maps(
        label_map.data,
        draw.matrix[image : image + 1],
        draw.extents[image : image + 1],
        ignore_index,
    )
    return PixelData(metainfo=label_map.metainfo, data=data)


def _move_instances(
    instances: list[InstanceData], rows: list[int], draw: Draw, min_size: float, min_visible: float
) -> list[InstanceData]:
    """Instances of the images ``rows``, moved all at once."""
    if not instances:
        return []
    boxes = [_tensor(item.bboxes) for item in instances]
    counts = [len(item) for item in boxes]
    image = torch.tensor(rows).repeat_interleave(torch.tensor(counts))
    image = image.to(draw.matrix.device, non_blocking=True)
    moved, keep = move_boxes(
        torch.cat(boxes), draw.matrix[image], draw.extents[image], min_size, min_visible
    )
    return [
        _rebuild(item, new, kept, draw, row)
        for item, new, kept, row in zip(
            instances, moved.split(counts), keep.split(counts), rows, strict=True
        )
    ]


def _rebuild(item: InstanceData, boxes: Tensor, keep: Tensor, draw: Draw, row: int) -> InstanceData:
    """New instances with moved boxes and masks; those that left the image are dropped."""
    masks = item.get('masks')
    rest = {name: value for name, value in item.items() if name != 'masks'}
    new = InstanceData(metainfo=item.metainfo, **rest)[keep]
    new.bboxes = boxes[keep] if isinstance(item.bboxes, Tensor) else type(item.bboxes)(boxes[keep])
    if masks is not None:
        new.masks = _move_masks(masks, draw, row, keep.cpu().numpy())
    return new


def _move_masks(masks: Any, draw: Draw, row: int, keep: np.ndarray) -> Any:
    """Mmdet's bitmap or polygon masks of one image."""
    from mmdet.structures.mask import PolygonMasks

    matrix = draw.matrix[row : row + 1].cpu()
    if isinstance(masks, PolygonMasks):
        polygons = [
            [_move_polygon(part, matrix) for part in masks.masks[i]] for i in np.flatnonzero(keep)
        ]
        return PolygonMasks(polygons, masks.height, masks.width)
    bitmaps = torch.from_numpy(masks.masks[keep])
    if len(bitmaps):
        bitmaps = move_maps(bitmaps, matrix, draw.extents[row : row + 1].cpu(), fill=0)
    return type(masks)(bitmaps.numpy(), masks.height, masks.width)


def _move_polygon(polygon: np.ndarray, matrix: Tensor) -> np.ndarray:
    points = torch.from_numpy(np.asarray(polygon)).view(1, -1, 2)
    return move_points(points, matrix).view(-1).numpy()


def _tensor(boxes: Any) -> Tensor:
    """Mmdet's boxes as (n, 4) x1, y1, x2, y2."""
    return boxes if isinstance(boxes, Tensor) else boxes.tensor
