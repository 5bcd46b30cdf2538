"""Loaders whose batches and random transforms depend on the position in the run only."""

from collections.abc import Iterator
from copy import copy
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_rank
from torch.utils.data import DataLoader, Dataset

from .randomness import derive_seed, seed_host

#: What random draws are for: the student's steps, and from 1 on the augmenter stages.
STUDENT = 0
#: Distance of the samplers' epochs of one kind from those of the next.
_EPOCHS_APART = 1_000_000


class SeededDataset(Dataset):
    """A data set whose random transforms draw by the seed that comes with the index.

    The draws are then the same whichever process loads the sample and whatever it loaded before.
    Otherwise it is the data set it holds: attributes are read from and set on that one, and a
    deep copy is the same object.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, ticket: tuple[int, int]) -> Any:
        index, seed = ticket
        seed_host(seed)
        return self.dataset[index]

    def __getattr__(self, name: str) -> Any:
        if name == 'dataset':  # unpickling asks before there is one
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == 'dataset':
            object.__setattr__(self, name, value)
        else:
            setattr(self.dataset, name, value)

    def __deepcopy__(self, memo: dict) -> 'SeededDataset':
        return self


class SeededBatches:
    """Batches of a run from any step on, for a :class:`SeededDataset`; a batch sampler.

    What a step gets depends on the seed, the kind, the step and the rank only.

    Args:
        batch_sampler: One pass over the data; its sampler's ``set_epoch`` sets the order.
        seed: Of the run.
    """

    def __init__(self, batch_sampler: Any, seed: int) -> None:
        self.batch_sampler = batch_sampler
        self.sampler: Any = getattr(batch_sampler, 'sampler', None)
        self.seed = seed
        self.select(STUDENT, 0, len(batch_sampler))

    def select(self, kind: int, first: int, last: int, turn: int = 0) -> None:
        """Choose what the next iteration gives.

        Args:
            kind: ``STUDENT``, or k + 1 for augmenter stage k.
            first: Step of the first batch; those before it are skipped without loading.
            last: Step after the last batch. A pass that ends earlier is followed by another.
            turn: Pass over the data to start from, at or before ``first``, to skip faster.
        """
        self.kind, self.first, self.last, self.turn = kind, first, last, turn

    def __len__(self) -> int:
        """Batches in one pass over the data."""
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        turn, rank = self.turn, get_rank()
        step = turn * len(self)
        if isinstance(self.sampler, InfiniteSampler):  # goes on where it was, even in a new pass
            self.sampler.indices = self.sampler._indices_of_rank()
        while step < self.last:
            if hasattr(self.sampler, 'set_epoch'):
                self.sampler.set_epoch(self.kind * _EPOCHS_APART + turn)
            for batch in self.batch_sampler:
                if step == self.last:
                    return
                if step >= self.first:
                    key = (self.seed, self.kind, step, rank)
                    yield [(index, derive_seed(*key, i)) for i, index in enumerate(batch)]
                step += 1
            turn += 1


def seeded_loader(loader: DataLoader, batches: SeededBatches) -> DataLoader:
    """A loader like ``loader``, with the same data set, that gives seeded batches."""
    dataset = loader.dataset
    clone = copy(loader)
    # DataLoader refuses to have these set, lest they contradict each other.
    clone.__dict__.update(
        dataset=dataset if isinstance(dataset, SeededDataset) else SeededDataset(dataset),
        batch_sampler=batches,
        _iterator=None,
    )
    return clone
