"""Random draws that depend on a position (seed, stage, step, rank) instead of on what ran before.

A run that is killed and resumed then draws the same numbers without any stored random state.
"""

import hashlib
import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.runner import Runner

from tst_mm.utils.unwrap import unwrap_model

from .stream import Stream


def derive_seed(*key: int) -> int:
    """Give a seed in [0, 2**32) that depends on all of ``key``; nearby keys look unrelated."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=4).digest()
    return int.from_bytes(digest, 'little')


def seed_host(seed: int) -> None:
    """Seed the generators that data transforms draw from: Python's, numpy's and torch's on CPU."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)


def seed_step(runner: Runner, stream: Stream, step: int) -> None:
    """Seed the global generators, the accelerators and the augmenter for one step.

    Args:
        runner: The runner of the run, whose seed counts.
        stream: The stream that the step belongs to.
        step: The number of the step within the stream, from 0.
    """
    key = (runner.seed, stream.number, step, get_rank())
    seed = derive_seed(*key)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    augmenter = getattr(unwrap_model(runner), 'augmenter', None)
    if augmenter is not None:
        augmenter.reseed(*key)
