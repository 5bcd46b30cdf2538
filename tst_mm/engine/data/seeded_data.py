"""Loaders whose batches and random transforms depend on the position in the run only."""

from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_rank
from torch.utils.data import DataLoader, Dataset

from .corrupt_samples import CorruptSamples
from .held_out import HeldOut
from .randomness import derive_seed, seed_host
from .stream import Stream

#: Distance of the samplers' epochs of one stream from those of the next.
_EPOCHS_APART = 1_000_000


class SeededDataset(Dataset):
    """A data set whose random transforms draw by the seed that comes with the index.

    The draws are then the same whichever process loads the sample and whatever it loaded before.
    A sample that cannot be loaded, or that the check refuses, is reported to ``corrupt``; if it
    lets that pass, the next one takes its place. Otherwise this is the data set it holds:
    attributes are read from and set on that one, and a deep copy is the same object.

    Args:
        dataset: With an index.
        corrupt: Counts samples that are left out.
        check: Called with every sample; raises for one that cannot be trained on.
    """

    _OWN = ('dataset', 'corrupt', 'check')

    def __init__(
        self, dataset: Any, corrupt: CorruptSamples, check: Callable[[Any], None] | None = None
    ) -> None:
        self.dataset = dataset
        self.corrupt = corrupt
        self.check = check

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, ticket: tuple[int, int]) -> Any:
        index, seed = ticket
        while True:
            seed_host(seed)
            sample = None
            try:
                sample = self.dataset[index]
                if self.check is not None:
                    self.check(sample)
                return sample
            except Exception as error:
                self.corrupt.report(self.dataset, index, error, sample)
                index = (index + 1) % len(self)

    def __getattr__(self, name: str) -> Any:
        if name in self._OWN:  # unpickling asks before there is one
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self.dataset, name, value)

    def __deepcopy__(self, memo: dict) -> 'SeededDataset':
        return self


class SeededBatches:
    """Batches of a run from any step on, for a :class:`SeededDataset`; a batch sampler.

    What a step gets depends on the seed, the stream, the step and the rank only.

    Args:
        batch_sampler: One pass over the data; its sampler's ``set_epoch`` sets the order.
        seed: Of the run.
    """

    def __init__(self, batch_sampler: Any, seed: int) -> None:
        self.batch_sampler = batch_sampler
        self.sampler: Any = getattr(batch_sampler, 'sampler', None)
        self.seed = seed
        #: Images that the student does not see for a while.
        self.held_out: HeldOut | None = None
        # mmdet's keeps images for later batches; a pass cut short must not hand them to the next.
        state = getattr(batch_sampler, '__dict__', {})
        self._fresh = {k: deepcopy(v) for k, v in state.items() if isinstance(v, (list, dict, set))}
        self.select(Stream.STUDENT, 0, len(batch_sampler))

    def select(self, stream: Stream, first: int, last: int, turn: int = 0) -> None:
        """Choose what the next iteration gives.

        Args:
            stream: What the batches are for.
            first: Step of the first batch; those before it are skipped without loading.
            last: Step after the last batch. A pass that ends earlier is followed by another.
            turn: Pass over the data to start from, at or before ``first``, to skip faster.
        """
        self.stream, self.first, self.last, self.turn = stream, first, last, turn

    def __len__(self) -> int:
        """Batches in one pass over the data."""
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        turn, rank = self.turn, get_rank()
        step = turn * len(self)
        if isinstance(self.sampler, InfiniteSampler):  # goes on where it was, even in a new pass
            old = self.sampler
            self.sampler = type(old)(range(old.size), shuffle=old.shuffle, seed=old.seed)
            self.batch_sampler.sampler = self.sampler
        while step < self.last:
            if hasattr(self.sampler, 'set_epoch'):
                self.sampler.set_epoch(self.stream.number * _EPOCHS_APART + turn)
            for name, value in self._fresh.items():
                setattr(self.batch_sampler, name, deepcopy(value))
            for batch in self.batch_sampler:
                if step == self.last:
                    return
                if step >= self.first:
                    key = (self.seed, self.stream.number, step, rank)
                    yield [
                        (self._shown(index, step, i), derive_seed(*key, i))
                        for i, index in enumerate(batch)
                    ]
                step += 1
            turn += 1

    def _shown(self, index: int, step: int, place: int) -> int:
        """The index itself, or what takes its place while it is held out."""
        if self.held_out is None or self.stream != Stream.STUDENT:
            return index
        return self.held_out.substitute(index, step, place)


def seeded_dataset(
    dataset: Any, max_corrupt: int = 0, check: Callable[[Any], None] | None = None
) -> SeededDataset:
    """The data set as a seeded one; itself when it is one already.

    Args:
        dataset: With an index.
        max_corrupt: See :class:`CorruptSamples`.
        check: See :class:`SeededDataset`.
    """
    if isinstance(dataset, SeededDataset):
        return dataset
    return SeededDataset(dataset, CorruptSamples(max_corrupt), check)


def seeded_loader(
    loader: DataLoader,
    batches: SeededBatches,
    max_corrupt: int = 0,
    check: Callable[[Any], None] | None = None,
) -> DataLoader:
    """A loader like ``loader``, with the same data set, that gives seeded batches.

    Args:
        loader: Over a data set with an index.
        batches: Of the new loader.
        max_corrupt: See :class:`CorruptSamples`.
        check: See :class:`SeededDataset`.
    """
    clone = copy(loader)
    # DataLoader refuses to have these set, lest they contradict each other.
    clone.__dict__.update(
        dataset=seeded_dataset(loader.dataset, max_corrupt, check),
        batch_sampler=batches,
        _iterator=None,
    )
    return clone
