"""The student's loader, made exact: a resumed run gets the batches of one never interrupted."""

import math
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from torch.utils.data import DataLoader, IterableDataset

from tst_mm.compat.mmengine_runner import number_batches_from
from tst_mm.utils.unwrap import unwrap_model

from .empty_data import describe_no_batch
from .label_check import LabelCheck
from .seeded_data import SeededBatches, seeded_loader
from .stream import Stream


class SeededStream:
    """An iterator for ``IterBasedTrainLoop``, whose own one loads every batch that it skips.

    Args:
        loader: The loader of seeded batches, which start at the right step.
        to_skip: The number of batches that the loop will ask for, to skip them, before it trains
            on one.
    """

    def __init__(self, loader: DataLoader, to_skip: int) -> None:
        self._loader = loader
        self._iterator: Any = None
        self._to_skip = to_skip

    def skip_iter(self, num_iters: int) -> None:
        """Do nothing: the batches start where they should."""

    def __iter__(self) -> 'SeededStream':
        return self

    def __next__(self) -> Any:
        if self._to_skip:
            self._to_skip -= 1
            return None
        if self._iterator is None:
            self._iterator = iter(self._loader)
        return next(self._iterator)


def seed_student_data(runner: Runner, max_corrupt: int = 0) -> None:
    """Make the batches and random transforms of the train loop depend on the iteration only.

    The order of the data stays that of the run's sampler. Call it before training and, for an
    epoch-based loop, before each epoch; it then goes on at the present iteration, also inside an
    epoch. Data sets without an index are left alone.

    Args:
        runner: A runner with a built train loop.
        max_corrupt: The number of samples that may be left out; see
            :class:`tst_mm.engine.data.corrupt_samples.CorruptSamples`. Defaults to 0.

    Raises:
        ValueError: The data give no batch.
    """
    loop = runner.train_loop
    loader = loop.dataloader
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return
    batches: Any = loader.batch_sampler
    if not isinstance(batches, SeededBatches):
        if not len(batches):
            raise ValueError(describe_no_batch(loader))
        batches = SeededBatches(batches, runner.seed)
        check = LabelCheck.of(unwrap_model(runner))
        loop.dataloader = seeded_loader(loader, batches, max_corrupt, check)
        if isinstance(loop, IterBasedTrainLoop):
            batches.select(Stream.STUDENT, runner.iter, runner.max_iters)
            # MMEngine up to 0.10.7 skips by asking for the batches.
            asks = not hasattr(loop.dataloader_iterator, 'skip_iter')
            loop.dataloader_iterator = SeededStream(loop.dataloader, runner.iter if asks else 0)
    if isinstance(loop, EpochBasedTrainLoop):
        length = len(batches)
        first = runner.epoch * length
        batches.select(Stream.STUDENT, runner.iter, first + length, turn=runner.epoch)
        number_batches_from(loop, runner.iter - first)


def iterations_per_epoch(runner: Runner) -> int:
    """The number of student iterations in which every training sample is seen once."""
    loader = runner.train_dataloader
    if not isinstance(loader.sampler, InfiniteSampler):
        return len(loader)
    return math.ceil(len(loader.dataset) / (loader.batch_size * get_world_size()))


def batch_size(loader: Any) -> int:
    """Images of a batch, of a loader whose batch sampler may be a seeded one."""
    sampler = getattr(loader, 'batch_sampler', None)
    inner = getattr(sampler, 'batch_sampler', sampler)
    return getattr(inner, 'batch_size', None) or loader.batch_size or 1
