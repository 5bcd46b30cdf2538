"""A data set laid out as Pascal VOC: boxes for mmdet, label maps for mmseg."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tst_mm.datasets.checks import Findings
from tst_mm.datasets.checks.voc import (
    check_voc_boxes,
    check_voc_maps,
    read_list,
    voc_pairs,
)
from tst_mm.datasets.voc import VocObject, read_voc

from .label_maps import LabelMaps
from .layout import LabelledImage, Layout, spread

_VOC = (
    'background, aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, diningtable, '
    'dog, horse, motorbike, person, pottedplant, sheep, sofa, train, tvmonitor'
)


class VocBoxes(Layout):
    """``JPEGImages``, ``Annotations/*.xml`` and ``ImageSets/Main/{train,val}.txt``."""

    kind = 'Pascal VOC, boxes'
    library = 'mmdet'

    def _objects(self, name: str) -> list[VocObject]:
        with Image.open(self.root / f'JPEGImages/{name}.jpg') as image:
            width, height = image.size
        return read_voc(self.root / f'Annotations/{name}.xml', height, width)[0]

    @cached_property
    def classes(self) -> list[str]:
        """The names in the annotations of the training split, sorted."""
        names = read_list(self.root, 'Main', 'train')
        return sorted({thing.name for name in names for thing in self._objects(name)})

    def check(self) -> Findings:
        """See :func:`tst_mm.datasets.checks.voc.check_voc_boxes`."""
        return check_voc_boxes(self.root)[0]

    def images(self, count: int) -> list[LabelledImage]:
        """Images of the training split with their boxes."""
        names = read_list(self.root, 'Main', 'train')
        found = []
        for i in spread(count, len(names)):
            things = self._objects(names[i])
            found.append(
                LabelledImage(
                    self.root / f'JPEGImages/{names[i]}.jpg',
                    names[i],
                    boxes=np.array([thing.box for thing in things]).reshape(-1, 4),
                    labels=np.array([self.classes.index(t.name) for t in things], int),
                )
            )
        return found

    def dataset(self, split: str, folder: Path) -> dict[str, Any]:
        """An ``XMLDataset``."""
        entry: dict[str, Any] = dict(
            type='mmdet.XMLDataset',
            data_root=str(self.root),
            ann_file=f'ImageSets/Main/{split}.txt',
            data_prefix=dict(sub_data_root=''),
            metainfo=dict(classes=self.classes),
        )
        if split == 'train':
            entry['filter_cfg'] = dict(filter_empty_gt=True)
        return entry

    def evaluator(self, split: str) -> dict[str, Any]:
        """VOC's mean average precision, as an area."""
        return dict(type='mmdet.VOCMetric', metric='mAP', eval_mode='area')


class VocMaps(LabelMaps):
    """``JPEGImages``, ``SegmentationClass`` and ``ImageSets/Segmentation/{train,val}.txt``."""

    kind = 'Pascal VOC, label maps'
    names = _VOC

    def check(self) -> Findings:
        """See :func:`tst_mm.datasets.checks.voc.check_voc_maps`."""
        return check_voc_maps(self.root, len(self.classes))

    def pairs(self, split: str) -> Mapping[str, tuple[Path, Path]]:
        """See :func:`tst_mm.datasets.checks.voc.voc_pairs`."""
        return voc_pairs(self.root, split)

    def dataset(self, split: str, folder: Path) -> dict[str, Any]:
        """A ``BaseSegDataset`` with the list of the split."""
        return self.entry(
            ann_file=f'ImageSets/Segmentation/{split}.txt',
            data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
            img_suffix='.jpg',
            seg_map_suffix='.png',
        )
