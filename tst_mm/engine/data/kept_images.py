"""Images that transforms keep for later ones (mmdet's CachedMosaic), made those of the pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from .randomness import derive_seed, seed_host


def transforms_of(dataset: Any) -> Iterator[Any]:
    """The transforms of a data set and of those that it holds."""
    for inner in [getattr(dataset, 'dataset', None), *(getattr(dataset, 'datasets', None) or [])]:
        if inner is not None:
            yield from transforms_of(inner)
    pipeline = getattr(dataset, 'pipeline', None)
    yield from getattr(pipeline, 'transforms', pipeline if isinstance(pipeline, list) else [])


def keepers(dataset: Any) -> list[Any]:
    """The transforms that keep images in ``results_cache``."""
    return [t for t in transforms_of(dataset) if hasattr(t, 'results_cache')]


def keep_anew(dataset: Any, seed: int) -> None:
    """Let transforms forget what they keep, and keep as many images drawn by a seed.

    A run that is resumed after a pass over the data then goes on with the images that it would
    have gone on with. A pass costs as many samples more as are kept, at most the data set's.

    Args:
        dataset: The data set, which has an index.
        seed: The seed of the pass.
    """
    found = keepers(dataset)
    if not found:
        return
    for transform in found:
        transform.results_cache.clear()
    most = max(getattr(transform, 'max_cached_images', 0) for transform in found)
    seed_host(seed)
    indices = np.random.randint(len(dataset), size=min(most, len(dataset))).tolist()
    for i, index in enumerate(indices):
        seed_host(derive_seed(seed, i))
        with suppress(Exception):  # one that cannot be loaded is reported when its turn comes
            dataset[index]
