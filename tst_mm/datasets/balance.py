"""An order of samples whose every beginning is balanced over the classes."""

from collections.abc import Sequence

import numpy as np


def balanced_order(labels: Sequence[int] | np.ndarray, seed: int) -> np.ndarray:
    """Order samples class by class in turn, at random within each class.

    In this order the first N samples hold each class equally often (as far as it has samples
    left), so a few-shot subset is simply a beginning: ``indices=N``, a key of every MMEngine
    dataset. A smaller subset is part of a larger one.

    Args:
        labels: The index of each sample's class, (N,).
        seed: The seed of the order within the classes.

    Returns:
        Indices into ``labels``, each once, (N,) int64.
    """
    labels = np.asarray(labels, dtype=np.int64)
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind='stable')]
    counts = np.bincount(labels)
    turn = np.concatenate([np.arange(count) for count in counts]) if len(labels) else labels
    return by_class[np.argsort(turn, kind='stable')]
