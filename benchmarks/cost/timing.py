"""Wall-clock times of variants that take turns, so that a busy machine disturbs all alike."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from .progress import Progress

#: The least length of a turn, in seconds.
_TURN = 0.02


@dataclass(frozen=True)
class Times:
    """Seconds of one variant, one number a round.

    Attributes:
        rounds (tuple[float, ...]): The times in the order in which they were measured.
    """

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.rounds)

    def over(self, other: Times) -> Spread:
        """Ratio to another variant's time, taken round by round."""
        return spread([a / b for a, b in zip(self.rounds, other.rounds, strict=True)])

    def to_dict(self) -> dict[str, float]:
        """Milliseconds: median, and the middle half of the rounds."""
        scaled = spread([1000 * seconds for seconds in self.rounds])
        return {'median_ms': scaled.median, 'low_ms': scaled.low, 'high_ms': scaled.high}


@dataclass(frozen=True)
class Spread:
    """Median and the bounds of the middle half."""

    median: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """As plain data."""
        return {'median': self.median, 'low': self.low, 'high': self.high}


def spread(values: list[float]) -> Spread:
    """Median and quartiles of some numbers."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return Spread(statistics.median(ordered), ordered[quarter], ordered[-1 - quarter])


def take_turns(
    variants: Mapping[str, Callable[[], object]],
    rounds: int,
    device: torch.device,
    progress: Progress,
    warm_up: int = 1,
) -> dict[str, Times]:
    """Measure variants in turn: A B C, A B C, ...

    Short calls are repeated within a turn, all variants as often as the shortest needs to fill it:
    a single call of a few milliseconds tells mostly what the one before left in the caches.

    Args:
        variants: What is called, by name.
        rounds: How many turns of each variant count; the time of a call is their mean in a turn.
        device: The device that is waited for before the clock starts and before it stops.
        progress: What is told after each round.
        warm_up: How many rounds come before those that count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    gc.collect()
    gc.disable()
    calls = 1
    try:
        for count in range(warm_up + rounds):
            for name, call in variants.items():
                wait(device)
                start = time.perf_counter()
                for _ in range(calls):
                    call()
                wait(device)
                seconds[name].append((time.perf_counter() - start) / calls)
            if count < warm_up:
                calls = math.ceil(_TURN / min(times.pop() for times in seconds.values()))
            progress.tick()
    finally:
        gc.enable()
    return {name: Times(tuple(values)) for name, values in seconds.items()}


def wait(device: torch.device) -> None:
    """Until the device is idle."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
