"""A slice of the training images that the student does not see for a while."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import ClassBalancedDataset, RepeatDataset
from mmengine.dist import get_rank, get_world_size

from .kept_images import keepers
from .randomness import derive_seed
from .stream import Stream


class HeldOut:
    """Indices that are kept out of the student's batches until they are released.

    In their place come images that are drawn anew for each place, so that batches keep their size
    and epochs their length. What is drawn depends on the seed and the position only.

    Args:
        size: The number of images of the data set.
        count: The number of images that are held out, smaller than ``size``.
        seed: The seed of the run.
        release: The number of student iterations after which they are released.
    """

    def __init__(self, size: int, count: int, seed: int, release: int) -> None:
        order = np.random.default_rng(derive_seed(seed, Stream.HELD_OUT.number)).permutation(size)
        self.indices: list[int] = sorted(order[:count].tolist())
        self.rest: list[int] = sorted(order[count:].tolist())
        self.size = size
        self.seed = seed
        self.release = release
        self._held = frozenset(self.indices)

    def holds(self, index: int) -> bool:
        """Whether the image of an index is held out, before its release."""
        return index % self.size in self._held

    def substitute(self, index: int, step: int, place: int) -> int:
        """Give the index that takes the place of another in a batch of the student.

        Args:
            index: The index that the sampler gives; from ``size`` on it is a repetition.
            step: The number of student iterations done.
            place: The position in the batch of this rank.
        """
        if step >= self.release or not self.holds(index):
            return index
        key = (self.seed, Stream.SUBSTITUTE.number, step, get_rank(), place)
        return self.rest[derive_seed(*key) % len(self.rest)]


class LookBatches:
    """A batch sampler, with seeds, of batches of seen and of unseen images in turn, for looks.

    Each look is two batches: images that the student trains on, then images held out. Ranks share
    out the same images.

    Args:
        held_out: The images that are held out.
        images: The number of images of a batch, over all ranks.
        first: The number of looks done, which is the index of the first one given.
        last: The number of looks in all.
    """

    def __init__(self, held_out: HeldOut, images: int, first: int, last: int) -> None:
        self.held_out = held_out
        self.images = images
        self.first, self.last = first, last

    def __len__(self) -> int:
        return 2 * (self.last - self.first)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for look in range(self.first, self.last):
            for part, indices in enumerate((self.held_out.rest, self.held_out.indices)):
                yield self._batch(look, part, indices)

    def _batch(self, look: int, part: int, indices: Sequence[int]) -> list[tuple[int, int]]:
        key = (self.held_out.seed, Stream.LOOK.number, look, part)
        count = min(self.images, len(indices))
        chosen = np.random.default_rng(derive_seed(*key)).choice(indices, count, replace=False)
        tickets = [(int(i), derive_seed(*key, place)) for place, i in enumerate(chosen)]
        return tickets[get_rank() :: get_world_size()] or tickets[:1]


def distinct_images(dataset: Any) -> int | None:
    """Count the images of a data set in which index i shows image ``i % images``.

    Returns:
        The number of images; None where an index may show several images (mixing data sets,
        transforms that keep images) or the order of repetitions is another.
    """
    if keepers(dataset):
        return None
    if isinstance(dataset, RepeatDataset):
        return distinct_images(dataset.dataset)
    if any(distinct_images(part) != len(part) for part in getattr(dataset, 'datasets', ())):
        return None
    mixes = hasattr(dataset, 'dataset') and not hasattr(dataset, 'load_data_list')
    if isinstance(dataset, ClassBalancedDataset) or mixes:
        return None
    return len(dataset)
