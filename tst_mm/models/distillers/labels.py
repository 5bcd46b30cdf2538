"""Data samples of any library follow a draw: each field by what it is, not by its name.

=========================================== ====================================================
a field that is                             moves as
=========================================== ====================================================
boxes of instances, any box type            boxes; instances that leave the image are dropped
bitmap and polygon masks                    masks
tensor of instances, (n, ..., H, W)         maps, of the image's resolution or a lower one
key points, (n, k, 2 or 3)                  points; those that leave are no longer visible
``PixelData`` or tensor (C, H, W), integers label maps; the ignore index comes from outside
the same of floats (depth) or edges         maps; 0 comes from outside
anything without places (labels, scores)    not at all
=========================================== ====================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData
from torch import Tensor

from tst_mm.augment import (
    Draw,
    at_scale,
    move_boxes,
    move_keypoints,
    move_maps,
    move_masks,
    move_points,
)
from tst_mm.augment.rows import select, send, take

#: Of instances, floats of 2, 4 or 5 numbers that are no places.
_NO_PLACES = ('scores', 'labels', 'scales', 'weights', 'logits', 'embeds', 'embedding')


def fresh(data_samples: Any) -> Any:
    """Containers of their own for a consumer that may put other things into them.

    Args:
        data_samples: B data samples, whose tensors are shared and not copied.
    """
    return [
        _fresh(sample) if isinstance(sample, BaseDataElement) else sample for sample in data_samples
    ]


def _fresh(element: BaseDataElement) -> BaseDataElement:
    # Not `new()`, which copies the metainfo of each sample and is 20 times as slow.
    new = object.__new__(type(element))
    for key, value in vars(element).items():
        if isinstance(value, BaseDataElement):
            value = _fresh(value)
        elif isinstance(value, set):
            value = set(value)
        new.__dict__[key] = value
    return new


def move_labels(
    data_samples: list,
    draw: Draw,
    min_size: float = 1.0,
    min_visible: float = 0.1,
    ignore_index: int = 255,
) -> list:
    """Data samples with moved labels; the given ones are never modified.

    Args:
        data_samples: B data samples, for example ``DetDataSample`` or ``SegDataSample``.
        draw: Of the B images.
        min_size: See :func:`tst_mm.augment.move_boxes`.
        min_visible: See :func:`tst_mm.augment.move_boxes`.
        ignore_index: Label of pixels that come from outside.

    Returns:
        B data samples: the given one where no geometric operator acts, else a new one.

    Raises:
        TypeError: A field that has places, but of a kind that cannot follow; named.
        ValueError: A map whose size is none that the image has; named.
    """
    moved = list(data_samples)
    for i in draw.moved_images:
        moved[i] = _fresh(data_samples[i])
    names = dict.fromkeys(name for i in draw.moved_images for name, _ in data_samples[i].items())
    for name in names:
        rows = [i for i in draw.moved_images if name in data_samples[i]]
        values = [data_samples[i].get(name) for i in rows]
        mover = _Mover(name, [data_samples[i] for i in rows], rows, draw, ignore_index)
        if all(isinstance(value, InstanceData) for value in values):
            values = mover.instances(values, min_size, min_visible)
        elif all(isinstance(value, PixelData) for value in values):
            values = mover.pixel_data(values)
        elif all(isinstance(value, Tensor) and value.dim() > 2 for value in values):
            values = mover.maps(values, name)
        else:
            continue
        for i, value in zip(rows, values, strict=True):
            setattr(moved[i], name, value)
    return moved


class _Mover:
    """Moves one field (``name``) of the samples that have it, which are ``rows`` of the batch."""

    def __init__(
        self, name: str, samples: list, rows: Sequence[int], draw: Draw, ignore_index: int
    ) -> None:
        self.name, self.samples, self.rows, self.draw = name, samples, list(rows), draw
        self.ignore_index = ignore_index

    # Maps ---------------------------------------------------------------------------------------

    def pixel_data(self, items: list[PixelData]) -> list[PixelData]:
        """All fields of label, edge or depth maps."""
        moved = [dict(item.items()) for item in items]
        for key in dict.fromkeys(key for item in items for key, _ in item.items()):
            having = [n for n, item in enumerate(items) if key in item]
            part = _Mover(
                f'{self.name}.{key}',
                [self.samples[n] for n in having],
                [self.rows[n] for n in having],
                self.draw,
                self.ignore_index,
            )
            maps = part.maps([torch.as_tensor(items[n].get(key)) for n in having], self.name + key)
            for n, value in zip(having, maps, strict=True):
                moved[n][key] = value
        return [
            type(item)(metainfo=item.metainfo, **fields)
            for item, fields in zip(items, moved, strict=True)
        ]

    def maps(self, maps: list[Tensor], kind: str) -> list[Tensor]:
        """(C, h, w) maps, one a sample; those of one size and one channel all at once."""
        scales = [self._scale(n, tuple(m.shape[-2:])) for n, m in enumerate(maps)]
        fill = self._fill(maps[0], kind)
        alike = len({(m.shape, m.dtype, s) for m, s in zip(maps, scales, strict=True)}) == 1
        if alike and maps[0].shape[0] == 1 and maps[0].dim() == 3:
            draw = self.draw.on(maps[0].device)
            rows = select(self.rows, len(draw), draw.matrix.device)
            motion = take(draw.matrix, rows), take(draw.extents, rows)
            moved = move_maps(torch.cat(maps), *at_scale(*motion, scales[0]), fill)
            return list(moved.unsqueeze(1))
        return [self._move_map(n, m, scales[n], fill) for n, m in enumerate(maps)]

    def _move_map(self, n: int, maps: Tensor, scale: tuple[float, float], fill: int) -> Tensor:
        """(..., h, w) maps of one sample."""
        if not maps.numel():
            return maps
        flat = maps.reshape(-1, *maps.shape[-2:])
        return move_maps(flat, *at_scale(*self._motion(n, maps.device), scale), fill).view_as(maps)

    def _motion(self, n: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """The map of one sample, (1, 3, 3), and its extents, (1, 2)."""
        draw, row = self.draw.on(device), self.rows[n]
        return draw.matrix[row : row + 1], draw.extents[row : row + 1]

    def _scale(self, n: int, size: tuple[int, int]) -> tuple[float, float]:
        """Rows and columns of a map for one of the image.

        Raises:
            ValueError: The map is neither as large as the image nor a fraction of the batch.
        """
        image = self.draw.sizes[self.rows[n]]
        if size[0] >= image[0] and size[1] >= image[1]:
            return 1.0, 1.0
        sample = self.samples[n]
        batch = sample.get('batch_input_shape') or sample.get('pad_shape') or image
        steps = [whole / max(part, 1) for whole, part in zip(batch, size, strict=False)]
        if abs(steps[0] / steps[1] - 1) > 0.1:
            raise ValueError(
                f'{self.name} of {sample.get("img_path")} is {size}; allowed: at least the size '
                f'of the image, {image}, or a fraction of the batch, {tuple(batch[:2])}'
            )
        return size[0] / batch[0], size[1] / batch[1]

    def _fill(self, value: Tensor, kind: str) -> int:
        """What comes from outside: pixels to be ignored; no depth and no edge."""
        if value.is_floating_point() or value.dtype is torch.bool or 'edge' in kind:
            return 0
        low, high = torch.iinfo(value.dtype).min, torch.iinfo(value.dtype).max
        return self.ignore_index if low <= self.ignore_index <= high else high

    # Instances ----------------------------------------------------------------------------------

    def instances(
        self, items: list[InstanceData], min_size: float, min_visible: float
    ) -> list[InstanceData]:
        """Instances of several images; the plain boxes of all are moved at once."""
        boxes = [self._plain_boxes(item) for item in items]
        if all(isinstance(value, Tensor) for value in boxes):
            counts = [len(value) for value in boxes]
            image = torch.tensor(self.rows).repeat_interleave(torch.tensor(counts))
            draw = self.draw.on(boxes[0].device)
            (image,) = send([image], draw.matrix.device)
            motion = draw.matrix[image], draw.extents[image]
            together, keep = move_boxes(torch.cat(boxes), *motion, min_size, min_visible)
            moved = [
                _like(item.get('bboxes'), new)
                for item, new in zip(items, together.split(counts), strict=True)
            ]
        else:
            moved, keeps = zip(*map(self._other_boxes, range(len(items)), items), strict=True)
            counts, keep = [len(part) for part in keeps], torch.cat(keeps)
        # How many are kept decides about sizes: one read for all images, and one answer.
        kept = [part.nonzero().flatten() for part in keep.cpu().split(counts)]
        there = send(kept, keep.device)
        return [self._rebuild(n, item, moved[n], kept[n], there[n]) for n, item in enumerate(items)]

    def _plain_boxes(self, item: InstanceData) -> Tensor | None:
        """(n, 4) x1, y1, x2, y2 of instances, of their masks where they have no boxes."""
        boxes = item.get('bboxes')
        if boxes is None and hasattr(item.get('masks'), 'get_bboxes'):
            found = item.masks.get_bboxes('hbox').tensor
            return found.to(self.draw.matrix.device)
        if isinstance(boxes, Tensor) and boxes.shape[-1] == 4:
            return boxes
        if type(boxes).__name__ == 'HorizontalBoxes':
            return boxes.tensor
        return None

    def _other_boxes(self, n: int, item: InstanceData) -> tuple[Any, Tensor]:
        """Boxes of a type of their own (rotated, ...), as it projects and clips them itself."""
        boxes = item.get('bboxes')
        if boxes is None:
            return None, torch.ones(len(item), dtype=torch.bool, device=self.draw.matrix.device)
        if not hasattr(boxes, 'project_'):
            raise TypeError(
                f'{self.name}.bboxes are {type(boxes).__name__} of shape {tuple(boxes.shape)}; '
                f'allowed: tensors (n, 4) of x1, y1, x2, y2, or box types of mmdet'
            )
        row = self.rows[n]
        moved = boxes.clone()
        moved.project_(self.draw.matrix[row].to(moved.device, moved.dtype))
        size = self.draw.sizes[row]
        keep = moved.is_inside(size)
        moved.clip_(size)
        return moved, keep

    def _rebuild(
        self, n: int, item: InstanceData, boxes: Any, kept: Tensor, there: Tensor
    ) -> InstanceData:
        """New instances: what has places moved, those that left the image dropped.

        The positions of those that stay are ``kept`` on the host, ``there`` on the device.
        """
        fields, masks = {}, {}
        for key, value in item.items():
            if hasattr(value, 'masks') and hasattr(value, 'height'):
                masks[key] = value
            else:
                fields[key] = boxes if key == 'bboxes' else self._field(n, key, value)
        new = InstanceData(metainfo=item.metainfo, **fields)[there]
        for key, value in masks.items():
            setattr(new, key, self._masks(n, value, kept.tolist()))
        return new

    def _field(self, n: int, key: str, value: Any) -> Any:
        """A field of instances beside their boxes and masks."""
        if not isinstance(value, Tensor) or value.dim() < 2 or not len(value):
            return value
        matrix, extents = (
            part.expand(len(value), *part.shape[1:]) for part in self._motion(n, value.device)
        )
        if 'keypoint' in key and value.dim() == 3 and value.shape[-1] in (2, 3):
            points, inside = move_keypoints(value[..., :2], matrix, extents)
            if value.shape[-1] == 3:
                seen = torch.where(inside, value[..., 2], 0)
                return torch.cat((points, seen[..., None]), dim=-1)
            return points
        if value.dim() > 2:
            return self._move_map(n, value, self._scale(n, tuple(value.shape[-2:])), 0)
        if key.endswith(('bboxes', 'boxes')) and value.shape[-1] == 4:
            return move_boxes(value, matrix, extents)[0]
        if value.is_floating_point() and value.shape[-1] in (2, 4, 5) and key not in _NO_PLACES:
            raise TypeError(
                f'{self.name}.{key} are {tuple(value.shape)} floats, which may be places in the '
                f'image, and it is not known of what kind; allowed: leave them out of the '
                f'pipeline, or a subclass whose move_labels moves them'
            )
        return value

    def _masks(self, n: int, masks: Any, kept: list[int]) -> Any:
        """Mmdet's bitmap or polygon masks of one image, which lie on the host and stay there."""
        motion = self._motion(n, torch.device('cpu'))
        if isinstance(masks.masks, list):
            moved: Any = [[_move_polygon(part, motion[0]) for part in masks.masks[i]] for i in kept]
        else:
            if kept:
                motion = at_scale(*motion, self._scale(n, (masks.height, masks.width)))
            moved = move_masks(masks.masks, kept, *motion)
        return type(masks)(moved, masks.height, masks.width)


def _move_polygon(polygon: np.ndarray, matrix: Tensor) -> np.ndarray:
    points = torch.from_numpy(np.asarray(polygon)).view(1, -1, 2)
    return move_points(points, matrix).view(-1).numpy()


def _like(boxes: Any, moved: Tensor) -> Any:
    """Boxes of the same type."""
    return moved if boxes is None or isinstance(boxes, Tensor) else type(boxes)(moved)
