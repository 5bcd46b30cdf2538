"""What a figure must stay within, and why it cannot be lower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Kernel launches of one call at 32 x 32. The tests hold what is reached, not this.
MAX_LAUNCHES = 60

#: The floor argument of each kind of target, and what lies between it and a miss.
_FLOORS = {
    'split': 'equal passes, and A / 2',
    'double': 'twice the passes, and A; above 2 is what a batch twice as large loses in caches',
    'augmenter step': '2Fs + 2Ft bare, with augmented images and labels ready',
    'memory': "one network's graph at a time beside the augmenter's own, which is 12 images large: "
    'much beside small networks, little beside large ones',
    'augmenter': 'a pass over the images for each operator, which kornia needs too; one sampling, '
    'and no copies between operators, which it has',
    'waits': 'all draws are made on the host; detectors and segmentors wait in their own losses',
    'launches': 'eight colour operators of 3 to 27 launches (Equalize: a histogram and its table) '
    'and one or two to gather their images; only fused they are fewer',
}


@dataclass(frozen=True)
class Target:
    """One line of the table.

    Attributes:
        name: What is measured.
        value: The median of the rounds, or a count.
        bound: What the value has to stay within.
        least: Whether the bound is the least value, not the largest.
        floor: What the floor is, and the cause where the bound is missed.
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
        measured: The parts by name, as ``python -m benchmarks.cost`` writes them.
    """
    targets: list[Target] = []
    for name, case in measured.get('steps', {}).items():
        targets += _step_targets(name, case)
    targets += [
        _timed(
            f'augmenter {size}, forward and backward: images a second, over kornia',
            case['speedup_over_kornia']['forward+backward'],
            2.0,
            _FLOORS['augmenter'],
            least=True,
        )
        for size, case in measured.get('augmenter', {}).items()
    ]
    counts = measured.get('counts', {})
    for stage, found in counts.items():
        if 'waits' in found:
            targets.append(
                Target(f'{stage}: waits for the device', found['waits'], 0, _FLOORS['waits'])
            )
            continue
        targets.append(
            Target(
                f'{stage}: launches at 32 x 32',
                found['launches'],
                MAX_LAUNCHES,
                _FLOORS['launches'],
            )
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
        floor = 'stages of the demo as configured; a step of a stage is 2Fs + 2Ft'
        targets.append(Target('the demo with TST over plain KD', training['tst/kd'], 1.25, floor))
        targets.append(Target('its stages, part of it', training['stages'], 0.05, floor))
    return targets


def _step_targets(name: str, case: Mapping[str, Any]) -> list[Target]:
    ratios, memory = case['ratios'], case['memory']
    return [
        _timed(f'{name}: split over KD', ratios['split/kd'], 1.10, _FLOORS['split']),
        _timed(f'{name}: double over KD', ratios['double/kd'], 2.05, _FLOORS['double']),
        _timed(
            f'{name}: augmenter step over its passes bare',
            ratios['augmenter/bare'],
            1.15,
            _FLOORS['augmenter step'],
        ),
        Target(
            f'{name}: memory of an augmenter step over the larger network alone',
            memory['augmenter/alone'],
            1.10,
            _FLOORS['memory'],
        ),
    ]


def _timed(
    name: str, ratio: Mapping[str, float], bound: float, floor: str, least: bool = False
) -> Target:
    return Target(name, ratio['median'], bound, floor, least, (ratio['low'], ratio['high']))
