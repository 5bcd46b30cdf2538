"""Writing COCO annotation files."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco_mask

_FINE = 8  # outlines are traced on pixels cut into 8 x 8
_FAITHFUL = 0.9  # a polygon must cover a mask as well as this, as intersection over union


class CocoFile:
    """Collects images and annotations of one split and writes them as COCO JSON.

    Args:
        classes: The names of the classes; the category id of class ``i`` is ``i + 1``.
        description: What the file tells of itself.
    """

    def __init__(self, classes: Sequence[str], description: str) -> None:
        self.content: dict = dict(
            info=dict(description=description),
            licenses=[],
            images=[],
            annotations=[],
            categories=[
                dict(id=i + 1, name=name, supercategory='') for i, name in enumerate(classes)
            ],
        )

    def add_image(self, file_name: str, height: int, width: int) -> int:
        """Add an image and return its id."""
        image_id = len(self.content['images']) + 1
        image = dict(id=image_id, file_name=file_name, height=int(height), width=int(width))
        self.content['images'].append(image)
        return image_id

    def add_box(
        self, image_id: int, label: int, box: Sequence[float], ignored: bool = False
    ) -> None:
        """Add a thing of which only the box is known.

        Args:
            image_id: The id that :meth:`add_image` gave.
            label: The index of the class.
            box: The corners (x1, y1, x2, y2) in pixels; x2 and y2 lie outside of the thing.
            ignored: Whether the thing need neither be found nor be missed; it is written as
                ``iscrowd``. Defaults to False.
        """
        x1, y1, x2, y2 = map(float, box)
        self._add(image_id, label, [x1, y1, x2 - x1, y2 - y1], (x2 - x1) * (y2 - y1), ignored)

    def add_mask(self, image_id: int, label: int, mask: np.ndarray, crowd: bool = False) -> None:
        """Add a thing by its mask; box and area are those of what is written.

        Args:
            image_id: The id that :meth:`add_image` gave.
            label: The index of the class.
            mask: The pixels of the thing, (H, W) bool.
            crowd: COCO's ``iscrowd``. As in COCO a crowd is written as uncompressed run lengths,
                anything else as polygons, unless they would lose holes of the mask. Defaults to
                False.
        """
        polygons = [] if crowd else mask_to_polygons(mask)
        encoded = _encode(mask)
        if polygons:
            drawn = coco_mask.merge(coco_mask.frPyObjects(polygons, *mask.shape))
            if coco_mask.iou([drawn], [encoded], [0])[0, 0] >= _FAITHFUL:
                encoded = drawn
            else:
                polygons = []
        segmentation = polygons or dict(size=list(mask.shape), counts=run_lengths(mask))
        box = coco_mask.toBbox(encoded).tolist()
        self._add(image_id, label, box, float(coco_mask.area(encoded)), crowd, segmentation)

    def save(self, path: Path) -> None:
        """Write the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.content))

    def _add(
        self,
        image_id: int,
        label: int,
        box: list[float],
        area: float,
        crowd: bool = False,
        segmentation: list | dict | None = None,
    ) -> None:
        annotation = dict(
            id=len(self.content['annotations']) + 1,
            image_id=image_id,
            category_id=label + 1,
            bbox=box,
            area=area,
            iscrowd=int(crowd),
        )
        if segmentation is not None:
            annotation['segmentation'] = segmentation
        self.content['annotations'].append(annotation)


def mask_to_polygons(mask: np.ndarray) -> list[list[float]]:
    """Outer outlines of a mask as COCO polygons ``[x1, y1, x2, y2, …]``; parts of a pixel count.

    Args:
        mask: The pixels of the thing, (H, W) bool.
    """
    # traced finer than a pixel: an outline through the middles of pixels is half a pixel too small
    fine = np.kron(mask.astype(np.uint8), np.ones((_FINE, _FINE), np.uint8))
    outlines, _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    polygons = []
    for outline in outlines:
        simple = cv2.approxPolyDP(outline, 0.4 * _FINE, closed=True)[:, 0]
        if len(simple) > 2:
            polygons.append(((simple + 0.5) / _FINE).round(2).ravel().tolist())
    return polygons


def run_lengths(mask: np.ndarray) -> list[int]:
    """COCO's uncompressed run lengths of a mask: column by column, starting with zeros."""
    flat = np.concatenate([[0], mask.ravel(order='F').astype(np.int8)])
    ends = np.append(np.flatnonzero(np.diff(flat)), mask.size)
    return np.diff(ends, prepend=0).tolist()


def _encode(mask: np.ndarray) -> dict:
    """COCO's compressed run lengths of a mask."""
    return coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
