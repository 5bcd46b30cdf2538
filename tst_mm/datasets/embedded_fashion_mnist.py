"""The part of Fashion-MNIST that comes with the package."""

from pathlib import Path

from mmengine.dataset import BaseDataset

from tst_mm.registry import DATASETS
from tst_mm.utils.errors import closest

from .idx import read_idx

EMBEDDED_ROOT = Path(__file__).parent / 'embedded' / 'fashion_mnist'
#: The beginning of the file names of each split, as Zalando published them.
PREFIXES = {'train': 'train', 'test': 't10k'}


@DATASETS.register_module()
class EmbeddedFashionMNIST(BaseDataset):
    """6,000 training and 2,000 test images of Fashion-MNIST, in memory, balanced over 10 classes.

    Nothing has to be downloaded or prepared. The images stand in an order whose every beginning
    is balanced, so ``indices=600`` is a few-shot set of 60 images a class and
    ``indices=range(600, 1200)`` another one that shares no image with it.

    Each sample has ``img`` (28, 28) uint8 and ``gt_label`` int.

    Args:
        split: The split, ``'train'`` or ``'test'``. Defaults to ``'train'``.
        **kwargs: The arguments of :class:`mmengine.dataset.BaseDataset` (``pipeline``, ``indices``,
            …).

    Example:
        >>> dict(type='tst_mm.EmbeddedFashionMNIST', split='train', indices=600,
        ...      pipeline=[dict(type='mmpretrain.PackInputs')])
    """

    METAINFO = dict(
        classes=(
            'T-shirt/top',
            'Trouser',
            'Pullover',
            'Dress',
            'Coat',
            'Sandal',
            'Shirt',
            'Sneaker',
            'Bag',
            'Ankle boot',
        )
    )

    def __init__(self, split: str = 'train', **kwargs) -> None:
        if split not in PREFIXES:
            raise ValueError(
                f'EmbeddedFashionMNIST has no split {split!r}; {closest(split, PREFIXES)}'
            )
        self.split = split
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the shipped archive."""
        start = EMBEDDED_ROOT / PREFIXES[self.split]
        images = read_idx(f'{start}-images-idx3-ubyte.gz')
        labels = read_idx(f'{start}-labels-idx1-ubyte.gz')
        pairs = zip(images, labels, strict=True)
        return [dict(img=image, gt_label=int(label)) for image, label in pairs]

    def get_cat_ids(self, idx: int) -> list[int]:
        """The class of one image, in a list, as MMEngine's ``ClassBalancedDataset`` asks for it."""
        return [self.get_data_info(idx)['gt_label']]
