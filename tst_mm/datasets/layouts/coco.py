"""A data set in COCO's format, for mmdet."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tst_mm.datasets.checks import Findings, check_coco

from .layout import LabelledImage, Layout, spread

_PREFIX = 'instances_'


class Coco(Layout):
    """``annotations/instances_<split>.json`` and the images in ``<split>/``."""

    kind = 'COCO'
    library = 'mmdet'

    def _file(self, split: str) -> Path:
        files = sorted((self.root / 'annotations').glob(f'{_PREFIX}{split}*.json'))
        if not files:
            raise FileNotFoundError(f'no annotations/{_PREFIX}{split}*.json in {self.root}')
        return files[0]

    @cached_property
    def _content(self) -> dict[str, Any]:
        return json.loads(self._file('train').read_text())

    @property
    def classes(self) -> list[str]:
        """The names of the categories, in the order of the file."""
        return [item['name'] for item in self._content['categories']]

    def check(self) -> Findings:
        """See :func:`tst_mm.datasets.checks.check_coco`."""
        return check_coco(self.root)

    def images(self, count: int) -> list[LabelledImage]:
        """Images with at least one box."""
        index = {item['id']: i for i, item in enumerate(self._content['categories'])}
        things: dict[int, list[dict[str, Any]]] = {}
        for thing in self._content['annotations']:
            things.setdefault(thing['image_id'], []).append(thing)
        known = [item for item in self._content['images'] if item['id'] in things]
        folder = self.root / self._file('train').stem.removeprefix(_PREFIX)
        found = []
        for i in spread(count, len(known)):
            item, own = known[i], things[known[i]['id']]
            x, y, w, h = np.array([thing['bbox'] for thing in own], float).T
            found.append(
                LabelledImage(
                    folder / item['file_name'],
                    item['file_name'],
                    boxes=np.stack([x, y, x + w, y + h], 1),
                    labels=np.array([index[thing['category_id']] for thing in own]),
                )
            )
        return found

    def dataset(self, split: str, folder: Path) -> dict[str, Any]:
        """A ``CocoDataset``."""
        file = self._file(split)
        entry = dict(
            type='mmdet.CocoDataset',
            data_root=str(self.root),
            ann_file=f'annotations/{file.name}',
            data_prefix=dict(img=f'{file.stem.removeprefix(_PREFIX)}/'),
            metainfo=dict(classes=self.classes),
        )
        if split == 'train':
            entry['filter_cfg'] = dict(filter_empty_gt=True)
        return entry

    def evaluator(self, split: str) -> dict[str, Any]:
        """COCO's average precision of boxes."""
        return dict(type='mmdet.CocoMetric', ann_file=str(self._file(split)), metric='bbox')
