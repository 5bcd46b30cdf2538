"""What a figure must stay within, and why it cannot be lower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Kernel launches of one call at 32 x 32: the guard of the tests and the target of the table.
MAX_LAUNCHES = 60


@dataclass(frozen=True)
class Target:
    """One line of the table.

    Attributes:
        name: What is measured.
        value: Median, or a count.
        bound: What it has to stay within.
        least: Whether the bound is the least value, not the largest.
        floor: The floor argument, and the cause where the bound is missed.
        spread: The middle half of the rounds, where a clock was used.
    """

    name: str
    value: float
    bound: float
    floor: str
    least: bool = False
    spread: tuple[float, float] | None = None

    @property
    def met(self) -> bool:
        """Whether it is within the bound."""
        return self.value >= self.bound if self.least else self.value <= self.bound

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            'name': self.name,
            'value': self.value,
            'bound': self.bound,
            'kind': 'least' if self.least else 'most',
            'met': self.met,
            'floor': self.floor,
            'spread': list(self.spread) if self.spread else None,
        }


def judge(measured: Mapping[str, Any]) -> list[Target]:
    """All targets of which something was measured.

    Args:
        measured: Parts by name, as ``python -m benchmarks.cost`` writes them.
    """
    targets: list[Target] = []
    for name, case in measured.get('steps', {}).items():
        targets += _step_targets(name, case)
    for size, case in measured.get('augmenter', {}).items():
        for way, ratio in case['speedup_over_kornia'].items():
            if way == 'forward+backward':
                targets.append(
                    _timed(
                        f'augmenter {size}, {way}: images a second, over kornia',
                        ratio,
                        2.0,
                        'bandwidth: every operator reads and writes its images once',
                        least=True,
                    )
                )
    counts = measured.get('counts', {})
    for stage, found in counts.items():
        floor = (
            'eight colour operators of 3 to 27 launches (Equalize: a histogram and its table), one '
            'to take their images out; below 60 only when fused: they compile into one graph'
        )
        targets.append(
            Target(f'{stage}: launches at 32 x 32', found['launches'], MAX_LAUNCHES, floor)
        )
        targets.append(Target(f'{stage}: samplings', found['samplings'], 1, 'one composed map'))
    if 'labels' in measured:
        targets.append(
            _timed(
                'labels of 2 images with 100 boxes and masks, over a step of plain KD',
                measured['labels']['labels/kd'],
                0.05,
                'every mask is read and written once',
            )
        )
    if 'training' in measured:
        training = measured['training']
        floor = 'stages of the demo as configured; a step of theirs is 2Fs + 2Ft'
        targets.append(Target('the demo with TST over plain KD', training['tst/kd'], 1.25, floor))
        targets.append(Target('its stages, part of it', training['stages'], 0.05, floor))
    return targets


def _step_targets(name: str, case: Mapping[str, Any]) -> list[Target]:
    ratios, memory = case['ratios'], case['memory']
    return [
        _timed(f'{name}: split over KD', ratios['split/kd'], 1.10, 'equal passes, and A / 2'),
        _timed(f'{name}: double over KD', ratios['double/kd'], 2.05, 'twice the passes, and A'),
        _timed(
            f'{name}: augmenter step over its passes bare',
            ratios['augmenter/bare'],
            1.15,
            '2Fs + 2Ft bare, with augmented images and labels ready',
        ),
        Target(
            f'{name}: memory of an augmenter step over the larger network alone',
            memory['augmenter/alone'],
            1.10,
            "one graph at a time, and the augmenter's, about 12 images large",
        ),
    ]


def _timed(
    name: str, ratio: Mapping[str, float], bound: float, floor: str, least: bool = False
) -> Target:
    return Target(name, ratio['median'], bound, floor, least, (ratio['low'], ratio['high']))
