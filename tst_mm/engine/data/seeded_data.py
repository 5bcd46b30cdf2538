"""Loaders whose batches and random transforms depend on the position in the run only."""

from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_rank
from torch.utils.data import DataLoader, Dataset

from .corrupt_samples import CorruptSamples
from .held_out import HeldOut
from .kept_images import keep_anew
from .randomness import derive_seed, seed_host
from .stream import Stream

#: The distance between the sampler epochs of one stream and those of the next.
_EPOCHS_APART = 1_000_000


class SeededDataset(Dataset):
    """A data set whose random transforms draw by the seed that comes with the index.

    The draws are then the same whichever process loads the sample and whatever it loaded before.
    Transforms that keep images for later ones begin each pass over the data with images drawn by
    the seed of the pass. A sample that cannot be loaded, or that the check refuses, is reported to
    ``corrupt``; if it lets that pass, the next one takes its place, a held-out one that of a
    held-out one only. Otherwise this is the data set it holds: attributes are read from and set on
    that one, and a deep copy is the same object.

    Args:
        dataset: The data set, which has an index.
        corrupt: The counter of samples that are left out.
        check: A function that is called with every sample and raises for one that cannot be
            trained on. Defaults to None, no check.
    """

    _OWN = ('dataset', 'corrupt', 'check', 'held_out', 'pass_seed')

    def __init__(
        self, dataset: Any, corrupt: CorruptSamples, check: Callable[[Any], None] | None = None
    ) -> None:
        self.dataset = dataset
        self.corrupt = corrupt
        self.check = check
        #: The images that are held out of the student's batches; None where there are none.
        self.held_out: HeldOut | None = None
        #: The seed of the pass over the data that the last sample was of.
        self.pass_seed: int | None = None

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, ticket: tuple[int, int] | tuple[int, int, int]) -> Any:
        index, seed, *turn = ticket
        if turn and turn[0] != self.pass_seed:
            self.pass_seed = turn[0]
            keep_anew(self.dataset, turn[0])
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
                index = self._next(index)

    def _next(self, index: int) -> int:
        """The index after this one, of an image that is held out or not as this one is."""
        held = self.held_out
        after = (index + 1) % len(self)
        while held is not None and held.holds(after) != held.holds(index):
            after = (after + 1) % len(self)
        return after

    def __getattr__(self, name: str) -> Any:
        if name in self._OWN:  # unpickling asks before there is a data set
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
    """A batch sampler for a :class:`SeededDataset` that can start at any step of a run.

    What a step gets depends on the seed, the stream, the step and the rank only. A place of a batch
    is an index, the seed of its transforms and the seed of the pass over the data.

    Args:
        batch_sampler: The batch sampler of one pass over the data, whose sampler takes its order
            from ``set_epoch``.
        seed: The seed of the run.
    """

    def __init__(self, batch_sampler: Any, seed: int) -> None:
        self.batch_sampler = batch_sampler
        self.sampler: Any = getattr(batch_sampler, 'sampler', None)
        self.seed = seed
        #: The images that the student does not see for a while; None where there are none.
        self.held_out: HeldOut | None = None
        # mmdet's sampler keeps images for later batches; a pass cut short must not pass them on.
        state = getattr(batch_sampler, '__dict__', {})
        self._fresh = {k: deepcopy(v) for k, v in state.items() if isinstance(v, (list, dict, set))}
        self.select(Stream.STUDENT, 0, len(batch_sampler))

    def select(self, stream: Stream, first: int, last: int, turn: int = 0) -> None:
        """Choose what the next iteration gives.

        Args:
            stream: The stream that the batches are for.
            first: The step of the first batch; those before it are skipped without loading.
            last: The step after the last batch. A pass that ends earlier is followed by another.
            turn: The pass over the data to start from, at or before ``first``, to skip faster.
                Defaults to 0.
        """
        self.stream, self.first, self.last, self.turn = stream, first, last, turn

    def __len__(self) -> int:
        """The number of batches in one pass over the data."""
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[list[tuple[int, int, int]]]:
        turn, rank = self.turn, get_rank()
        step = turn * len(self)
        if isinstance(self.sampler, InfiniteSampler):  # it goes on where it was, even in a new pass
            old = self.sampler
            self.sampler = type(old)(range(old.size), shuffle=old.shuffle, seed=old.seed)
            self.batch_sampler.sampler = self.sampler
        while step < self.last:
            if hasattr(self.sampler, 'set_epoch'):
                self.sampler.set_epoch(self.stream.number * _EPOCHS_APART + turn)
            for name, value in self._fresh.items():
                setattr(self.batch_sampler, name, deepcopy(value))
            pass_seed = derive_seed(self.seed, self.stream.number, turn, rank)
            for batch in self.batch_sampler:
                if step == self.last:
                    return
                if step >= self.first:
                    key = (self.seed, self.stream.number, step, rank)
                    yield [
                        (self._shown(index, step, i), derive_seed(*key, i), pass_seed)
                        for i, index in enumerate(batch)
                    ]
                step += 1
            turn += 1

    def _shown(self, index: int, step: int, place: int) -> int:
        """The index itself, or the one that takes its place while its image is held out."""
        if self.held_out is None or self.stream != Stream.STUDENT:
            return index
        return self.held_out.substitute(index, step, place)


def seeded_dataset(
    dataset: Any, max_corrupt: int = 0, check: Callable[[Any], None] | None = None
) -> SeededDataset:
    """Turn a data set into a seeded one; one that is seeded already stays as it is.

    Args:
        dataset: The data set, which has an index.
        max_corrupt: The number of samples that may be left out; see :class:`CorruptSamples`.
            Defaults to 0.
        check: The check of every sample; see :class:`SeededDataset`. Defaults to None.
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
    """Make a loader like ``loader``, with the same data set, that gives seeded batches.

    Args:
        loader: The loader of a data set that has an index.
        batches: The batch sampler of the new loader.
        max_corrupt: The number of samples that may be left out; see :class:`CorruptSamples`.
            Defaults to 0.
        check: The check of every sample; see :class:`SeededDataset`. Defaults to None.
    """
    clone = copy(loader)
    # DataLoader does not let these be set, because they could contradict each other.
    clone.__dict__.update(
        dataset=seeded_dataset(loader.dataset, max_corrupt, check),
        batch_sampler=batches,
        _iterator=None,
    )
    return clone
