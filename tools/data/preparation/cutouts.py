"""Items of the embedded Fashion-MNIST, cut out of their black ground."""

import cv2
import numpy as np

from tst_mm.datasets.embedded_fashion_mnist import EmbeddedFashionMNIST

#: Classes of composed scenes. The ten of Fashion-MNIST are hard to tell apart when small and
#: half hidden (pullover, coat, shirt), so they are grouped by their shape.
CLASSES = ('top', 'trouser', 'dress', 'shoe', 'bag')
_GROUP = (0, 1, 0, 2, 0, 3, 0, 3, 4, 3)  # of T-shirt, Trouser, Pullover, Dress, Coat, Sandal, …
_GROUND = 8  # grey values up to here are ground
_HOLE = 16  # pixels; smaller holes are dark spots of the item, larger ones show the ground


class Cutouts:
    """The items of one split with their shapes.

    Args:
        split: The split of the embedded set, ``'train'`` or ``'test'``. Scenes for training and for
            validation are composed from different splits and so share no item.
    """

    def __init__(self, split: str) -> None:
        data = EmbeddedFashionMNIST(split)
        self.split = split
        self.images: list[np.ndarray] = []
        self._members: list[list[int]] = [[] for _ in CLASSES]
        for i in range(len(data)):
            info = data.get_data_info(i)
            self.images.append(info['img'])
            self._members[_GROUP[info['gt_label']]].append(i)

    def draw(self, label: int, random: np.random.Generator) -> int:
        """Index of a random item of class ``label``."""
        return int(random.choice(self._members[label]))

    def shape(self, index: int) -> np.ndarray:
        """Which pixels belong to an item, (28, 28) uint8 of 0 and 1."""
        mask = (self.images[index] > _GROUND).astype(np.uint8)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
        for part in range(1, count):
            if stats[part, cv2.CC_STAT_AREA] < _HOLE:
                mask[parts == part] = 1
        return mask
