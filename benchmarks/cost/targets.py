"""What a figure must stay within, and why it cannot be lower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Kernel launches of one call at 32 x 32. The tests hold what is reached, not this.
MAX_LAUNCHES = 40
#: The host's time of a step with augmentation over one without, small images and other cases.
MAX_HOST = {'demo': 1.05, 'classification': 1.05}
MAX_HOST_ELSEWHERE = 1.03

#: The floor argument of each kind of target, and what lies between it and a miss.
_FLOORS = {
    'split': 'equal passes, and A / 2',
    'double': 'twice the passes, and A; above 2 is what a batch twice as large loses in caches',
    'search': 'Fs + Ft a draw, in batches, with augmented images and labels ready; losses that '
    'come for a batch as a whole take a pass an image',
    'memory': 'no graph, but every draw of the batch at once, and the augmenter beside them, which '
    'is 5 images large',
    'stages': 'five stages at equal distances, as configured: Fs + Ft a draw',
    'training': 'equal passes, the stages, and the looks of the adaptive amount: Fs + Ft an image',
    'augmenter': 'a pass over the images for each operator, which kornia needs too; one sampling, '
    'and no copies between operators, which it has',
    'waits': 'all draws are made on the host; detectors and segmentors wait in their own losses',
    'launches': 'eight colour operators of 1 to 24 launches (Equalize: a histogram and its table) '
    'and two each to take their images and to put them back; only fused they are fewer',
    'host': 'launches of the augmenter beside those of the networks, whose number grows with their '
    'depth; an operation on meta takes longer than a launch',
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
            f'augmenter {size}, {way.replace("+", " and ")}: images a second, over kornia',
            case['speedup_over_kornia'][way],
            2.0,
            _FLOORS['augmenter'],
            least=True,
        )
        for size, case in measured.get('augmenter', {}).items()
        for way in ('forward', 'forward+backward')
    ]
    targets += [
        _timed(
            f"{name}: the host's time of a split step over KD ({case['where']}; launches "
            f'{case["launches"]["split"]} over {case["launches"]["kd"]})',
            case['split/kd'],
            MAX_HOST.get(name, MAX_HOST_ELSEWHERE),
            _FLOORS['host'],
        )
        for name, case in measured.get('host', {}).items()
    ]
    counts = measured.get('counts', {})
    for name, found in counts.items():
        if 'waits' in found:
            targets.append(
                Target(f'{name}: waits for the device', found['waits'], 0, _FLOORS['waits'])
            )
            continue
        targets.append(
            Target(
                f'{name}: launches at 32 x 32',
                found['launches'],
                MAX_LAUNCHES,
                _FLOORS['launches'],
            )
        )
        targets.append(Target(f'{name}: samplings', found['samplings'], 1, 'one composed map'))
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
        targets += [
            Target(
                "the demo's stages, part of its counted cost",
                training['stages'],
                0.02,
                _FLOORS['stages'],
            ),
            Target(
                'the demo with TST over plain KD, counted',
                training['tst/kd'],
                1.05,
                _FLOORS['training'],
            ),
        ]
    return targets


def _step_targets(name: str, case: Mapping[str, Any]) -> list[Target]:
    ratios, memory = case['ratios'], case['memory']
    return [
        _timed(f'{name}: split over KD', ratios['split/kd'], 1.10, _FLOORS['split']),
        _timed(f'{name}: double over KD', ratios['double/kd'], 2.05, _FLOORS['double']),
        _timed(
            f'{name}: search step over its passes bare',
            ratios['search/bare'],
            1.10,
            _FLOORS['search'],
        ),
        Target(
            f'{name}: memory of a search step over one of KD',
            memory['search/kd'],
            1.00,
            _FLOORS['memory'],
        ),
    ]


def _timed(
    name: str, ratio: Mapping[str, float], bound: float, floor: str, least: bool = False
) -> Target:
    return Target(name, ratio['median'], bound, floor, least, (ratio['low'], ratio['high']))
