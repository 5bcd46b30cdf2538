"""Label maps beside images, for mmseg: laid out as Cityscapes, or in two folders of equal names."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from tst_mm.datasets.checks import Findings, check_cityscapes, check_label_maps
from tst_mm.datasets.checks.cityscapes import IMAGE_END, LABEL_END, cityscapes_pairs
from tst_mm.datasets.image_folder import SUFFIXES

from .layout import LabelledImage, Layout, class_names, spread

_CITYSCAPES = (
    'road, sidewalk, building, wall, fence, pole, traffic light, traffic sign, vegetation, '
    'terrain, sky, person, rider, car, truck, bus, train, motorcycle, bicycle'
)


class LabelMaps(Layout):
    """A data set of pairs: an image, and a map with a class index a pixel (255 does not count).

    Attributes:
        names: The names of the classes where the folder has no ``classes.txt``, with commas.
    """

    library = 'mmseg'
    names: ClassVar[str] = ''

    @property
    def classes(self) -> list[str]:
        """The names in ``classes.txt``, or those of the published data set."""
        return class_names(self.root, self.names)

    @abstractmethod
    def pairs(self, split: str) -> Mapping[str, tuple[Path, Path]]:
        """The image and the label map of each sample of a split, by name.

        Args:
            split: ``'train'`` or ``'val'``.
        """

    def images(self, count: int) -> list[LabelledImage]:
        """Images of the training split with their label maps."""
        pairs = self.pairs('train')
        names = list(pairs)
        found = []
        for i in spread(count, len(names)):
            image, label = pairs[names[i]]
            with Image.open(label) as content:
                label_map = np.asarray(content)
            found.append(LabelledImage(image, Path(names[i]).name, label_map=label_map))
        return found

    def evaluator(self, split: str) -> dict[str, Any]:
        """The mean intersection over union."""
        return dict(type='mmseg.IoUMetric', iou_metrics=['mIoU'])

    def entry(self, **places: Any) -> dict[str, Any]:
        """A ``BaseSegDataset`` with the classes of this data set.

        Args:
            **places: Where images and label maps are.
        """
        return dict(
            type='mmseg.BaseSegDataset',
            data_root=str(self.root),
            metainfo=dict(classes=self.classes),
            **places,
        )


class Cityscapes(LabelMaps):
    """``leftImg8bit/<split>/<city>/*`` and ``gtFine/<split>/<city>/*``, as Cityscapes has them."""

    kind = 'Cityscapes'
    names = _CITYSCAPES

    def check(self) -> Findings:
        """See :func:`tst_mm.datasets.checks.check_cityscapes`."""
        return check_cityscapes(self.root, len(self.classes))

    def pairs(self, split: str) -> Mapping[str, tuple[Path, Path]]:
        """See :func:`tst_mm.datasets.checks.cityscapes.cityscapes_pairs`."""
        return cityscapes_pairs(self.root, split)

    def dataset(self, split: str, folder: Path) -> dict[str, Any]:
        """A ``BaseSegDataset`` with the endings of Cityscapes."""
        return self.entry(
            data_prefix=dict(img_path=f'leftImg8bit/{split}', seg_map_path=f'gtFine/{split}'),
            img_suffix=IMAGE_END,
            seg_map_suffix=LABEL_END,
        )


class TwoFolders(LabelMaps):
    """``img_dir/<split>/*`` and ``ann_dir/<split>/*.png`` of the same names; ``classes.txt``."""

    kind = 'images and label maps'

    def _images(self, split: str) -> list[Path]:
        folder = self.root / 'img_dir' / split
        return sorted(path for path in folder.rglob('*') if path.suffix.lower() in SUFFIXES)

    def _label(self, image: Path, split: str) -> Path:
        inside = image.relative_to(self.root / 'img_dir' / split)
        return (self.root / 'ann_dir' / split / inside).with_suffix('.png')

    def pairs(self, split: str) -> Mapping[str, tuple[Path, Path]]:
        """The images that have a label map of the same name."""
        found = ((path, self._label(path, split)) for path in self._images(split))
        return {path.stem: (path, label) for path, label in found if label.is_file()}

    def check(self) -> Findings:
        """Check names, sizes and values."""
        findings = Findings()
        if not self.classes:
            findings.faults.append(f'no {self.root / "classes.txt"}, which names a class a line')
        for split in ('train', 'val'):
            images = self._images(split)
            findings.found.append(f'{split}: {len(images)} images')
            if not images:
                findings.faults.append(f'no images in {self.root / "img_dir" / split}')
            alone = [path.name for path in images if not self._label(path, split).is_file()]
            findings.count(findings.faults, f'images without label map in {split}', alone)
            endings = {path.suffix for path in images}
            if len(endings) > 1:
                findings.faults.append(f'images in {split} end in {sorted(endings)}; allowed: one')
            if self.classes:
                check_label_maps(split, self.pairs(split), len(self.classes), findings)
        return findings

    def dataset(self, split: str, folder: Path) -> dict[str, Any]:
        """A ``BaseSegDataset`` with the ending that the images have."""
        images = self._images(split)
        if not images:
            raise FileNotFoundError(f'no images in {self.root / "img_dir" / split}')
        return self.entry(
            data_prefix=dict(img_path=f'img_dir/{split}', seg_map_path=f'ann_dir/{split}'),
            img_suffix=images[0].suffix,
            seg_map_suffix='.png',
        )
