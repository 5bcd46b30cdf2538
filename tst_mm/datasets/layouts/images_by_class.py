"""A folder of pictures by class, for mmpretrain."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from tst_mm.datasets.balance import balanced_order
from tst_mm.datasets.checks import Findings, check_image_folder
from tst_mm.datasets.image_folder import Sample, read_image_folder

from .layout import LabelledImage, Layout


class ImagesByClass(Layout):
    """``train/<class>/*`` and ``val/<class>/*``; or ``<class>/*``, of which a part is held out."""

    kind = 'images by class'
    library = 'mmpretrain'

    @cached_property
    def _content(self) -> tuple[list[str], dict[str, list[Sample]]]:
        return read_image_folder(self.root)

    @property
    def classes(self) -> list[str]:
        """The names of the folders, sorted."""
        return self._content[0]

    def check(self) -> Findings:
        """See :func:`tst_mm.datasets.checks.check_image_folder`."""
        return check_image_folder(self.root)

    def _ordered(self, split: str) -> list[Sample]:
        samples = self._content[1][split]
        return [samples[i] for i in balanced_order([label for _, label in samples], seed=0)]

    def images(self, count: int) -> list[LabelledImage]:
        """The first images of an order that is balanced over the classes."""
        return [
            LabelledImage(self.root / path, self.classes[label])
            for path, label in self._ordered('train')[:count]
        ]

    def dataset(self, split: str, folder: Path) -> dict[str, Any]:
        """A ``CustomDataset``; its list is written to the folder, in a balanced order."""
        folder.mkdir(parents=True, exist_ok=True)
        listed = folder.resolve() / f'{split}.txt'
        listed.write_text(''.join(f'{path} {label}\n' for path, label in self._ordered(split)))
        return dict(
            type='mmpretrain.CustomDataset',
            data_root=str(self.root),
            data_prefix='',
            ann_file=str(listed),
            metainfo=dict(classes=self.classes),
        )

    def evaluator(self, split: str) -> dict[str, Any]:
        """The accuracy."""
        return dict(type='mmpretrain.Accuracy', topk=(1,))
