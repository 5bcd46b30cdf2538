"""Samples that cannot be loaded: each is named, and is either replaced or ends the run."""

import logging
from multiprocessing import Value
from typing import Any

from mmengine.logging import print_log


class CorruptSampleError(ValueError):
    """A sample of the training data cannot be loaded; the message names it and says why."""


class CorruptSamples:
    """Counts samples that fail to load, over all processes of a loader.

    Args:
        limit: How many such samples are left out, each with a warning, before the run stops.
            Defaults to 0, which stops at the first.
    """

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        # Shared memory cannot be pickled, and with a limit of 0 there is nothing to share.
        self._count = Value('q', 0) if limit else None

    def report(self, dataset: Any, index: int, error: Exception, sample: Any = None) -> None:
        """Warn of a sample that is left out.

        Args:
            dataset: The data set that the sample is in.
            index: The index of the sample in the data set.
            error: The error that loading it raised.
            sample: What was loaded of it, where loading came that far. Defaults to None.

        Raises:
            CorruptSampleError: More samples than ``limit`` could not be loaded.
        """
        reason = f'{type(error).__name__}: {error}'.strip()
        message = f'cannot load sample {index}{_files(dataset, index, sample)}: {reason}'
        if self._count is None:
            raise CorruptSampleError(message) from error
        with self._count.get_lock():
            self._count.value += 1
            count = self._count.value
        if count > self.limit:
            raise CorruptSampleError(
                f'{message}; it is number {count} of its kind, allowed: max_corrupt={self.limit}'
            ) from error
        print_log(f'{message}; left out ({count} of at most {self.limit})', 'current', logging.WARN)


def _files(dataset: Any, index: int, sample: Any) -> str:
    """The files of a sample, as far as the data set or the sample tells them."""
    for tell in (lambda: dataset.get_data_info(index), lambda: sample['data_samples'].metainfo):
        try:
            info = tell()
            files = [info[key] for key in ('img_path', 'seg_map_path') if info.get(key)]
        except Exception:  # an error in here must not hide the one that is reported
            continue
        if files:
            return f' ({", ".join(map(str, files))})'
    return ''
