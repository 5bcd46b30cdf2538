"""Progress of training where loader workers can read it."""

from __future__ import annotations

import math

import torch


class Progress:
    """The fraction of training that is done, in shared memory.

    Workers of a loader are processes of their own, which may live as long as the training; a value
    in shared memory is the same in all of them, forked or spawned.
    """

    _instance: Progress | None = None

    def __init__(self) -> None:
        self._value = torch.full((), math.nan).share_memory_()

    @classmethod
    def shared(cls) -> Progress:
        """The progress that this process shares with its loader workers."""
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def write(self, fraction: float) -> None:
        """Set the fraction of training that is done, in [0, 1]."""
        self._value.fill_(fraction)

    def read(self) -> float:
        """The fraction that was set last.

        Raises:
            RuntimeError: No fraction was set yet.
        """
        fraction = float(self._value)
        if math.isnan(fraction):
            raise RuntimeError(
                'LearnedAugment(schedule=True) does not know how far training is; add '
                "custom_hooks=[dict(type='tst_mm.PolicyProgressHook')]"
            )
        return fraction

    def __deepcopy__(self, memo: dict) -> Progress:
        return self
