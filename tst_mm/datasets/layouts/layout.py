"""What every layout of a data set can say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tst_mm.datasets.checks import Findings


@dataclass(frozen=True)
class LabelledImage:
    """An image and its labels, for a picture.

    Attributes:
        path: The file of the image.
        name: What is written under the picture.
        boxes: The corners x1, y1, x2, y2 of boxes in pixels, (n, 4). Defaults to None.
        labels: The class indices of the boxes, (n,). Defaults to None.
        label_map: The class index of each pixel, (H, W). Defaults to None.
    """

    path: Path
    name: str
    boxes: np.ndarray | None = None
    labels: np.ndarray | None = None
    label_map: np.ndarray | None = None


class Layout(ABC):
    """A data set in a folder.

    Args:
        root: The folder of the data set.

    Attributes:
        kind: What the layout is called, in words.
        library: The library whose models train on it: ``'mmpretrain'``, ``'mmdet'`` or ``'mmseg'``.
    """

    kind: ClassVar[str]
    library: ClassVar[str]

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    @abstractmethod
    def classes(self) -> list[str]:
        """The names of the classes, in the order of their indices."""

    @abstractmethod
    def check(self) -> Findings:
        """Say what is there, what is unusual, and what is missing or wrong."""

    @abstractmethod
    def images(self, count: int) -> list[LabelledImage]:
        """Some images of the training split with their labels, spread over it.

        Args:
            count: How many images, at most.
        """

    @abstractmethod
    def dataset(self, split: str, folder: Path) -> dict[str, Any]:
        """The entry of a data set in a config of the library, without the pipeline.

        Args:
            split: ``'train'`` or ``'val'``.
            folder: A folder that lists may be written to.
        """

    @abstractmethod
    def evaluator(self, split: str) -> dict[str, Any]:
        """The entry of an evaluator in a config of the library.

        Args:
            split: ``'train'`` or ``'val'``.
        """


def spread(count: int, total: int) -> list[int]:
    """The indices of at most ``count`` of ``total`` things, at equal distances.

    Args:
        count: How many are wanted.
        total: How many there are.
    """
    return sorted({round(i) for i in np.linspace(0, total - 1, min(count, total))})


def class_names(root: Path, otherwise: str) -> list[str]:
    """The names of the classes of label maps, which hold numbers only.

    Args:
        root: The folder of the data set; ``classes.txt`` there has a name a line.
        otherwise: The names where there is no such file, with commas between them.

    Raises:
        ValueError: The file holds no names, or one twice.
    """
    path = root / 'classes.txt'
    if not path.is_file():
        return otherwise.split(', ') if otherwise else []
    names = [line.strip() for line in path.read_text(encoding='utf-8').splitlines() if line.strip()]
    if not names or len(set(names)) < len(names):
        raise ValueError(f'{path} holds {len(names)} names; allowed: a line for each class, no two')
    return names
