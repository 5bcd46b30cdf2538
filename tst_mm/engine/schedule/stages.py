"""Lists of augmenter stages: from what the config says to iterations, with every mistake named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tst_mm.utils import reject_unknown_keys

_PERIOD_KEYS = ('first', 'every', 'length', 'iters')
_STAGE_KEYS = ('begin', 'length', 'iters')
_SPREAD_KEYS = ('count', 'share')
#: The stages of a run whose config says nothing of them.
DEFAULT_STAGES = {'count': 5, 'share': 0.02}
#: What a draw of an image costs, a forward pass of student and teacher, in parts of what an image
#: costs in training: that of a teacher seven times as dear as its student. Of a smaller one it is
#: less, down to a half where both are alike.
DRAW_COST = 0.8


@dataclass(frozen=True)
class StageSpec:
    """One stage as the config gives it.

    Attributes:
        begin: The epochs or iterations of student training that come before the stage, from 0.
        length: The length of the stage in the unit of ``begin``, or None where ``iters`` is given.
        iters: The length of the stage in augmenter iterations, or None where ``length`` is given.
    """

    begin: int
    length: int | None = None
    iters: int | None = None


@dataclass(frozen=True)
class Stage:
    """One stage in iterations.

    Attributes:
        begin: The number of student iterations that come before the stage.
        length: The number of augmenter iterations of the stage.
    """

    begin: int
    length: int


def parse_stages(
    stages: Sequence[Mapping[str, Any]] | Mapping[str, Any], end: float | None = None
) -> list[StageSpec]:
    """Check stages as far as possible without knowing the run.

    Args:
        stages: A list of ``dict(begin=, length=)`` or ``dict(begin=, iters=)``; or a period
            ``dict(first=, every=, length=)`` or ``dict(first=, every=, iters=)``: a stage at
            ``first`` and then at every further ``every`` until the end. Those of
            :func:`spread_stages` are checked only.
        end: Where student training ends, in the unit of ``begin``. None (default), for a run that
            is not known yet, gives only the first stage of a period.

    Returns:
        The stages, in the order in which they begin.

    Raises:
        KeyError: A key is unknown or missing.
        ValueError: A value is not allowed, or two stages begin at one point.
    """
    if isinstance(stages, Mapping):
        if is_spread(stages):
            spread_stages(stages, 10**9, 1.0)
            return []
        return _expand_period(stages, end)
    if not isinstance(stages, Sequence) or isinstance(stages, str):
        raise ValueError(
            f'stages is {stages!r}; allowed: a list of dict(begin=, length=) '
            'or a period dict(first=, every=, length=)'
        )
    specs: list[StageSpec] = []
    for i, stage in enumerate(stages):
        where = f'stages[{i}]'
        if not isinstance(stage, Mapping):
            raise ValueError(f'{where} is {stage!r}; allowed: dict(begin=, length=)')
        reject_unknown_keys(where, stage, _STAGE_KEYS)
        begin = _whole_number(where, stage, 'begin', 0)
        specs.append(StageSpec(begin, **_parse_length(where, stage)))
        if i and begin <= specs[i - 1].begin:
            raise ValueError(
                f'{where}.begin is {begin}, but {specs[i - 1].begin} comes before it; '
                'allowed: ascending begins, one stage at each'
            )
    return specs


def is_spread(stages: Mapping[str, Any]) -> bool:
    """Whether stages are given by their number and their share of the training."""
    return bool(stages.keys() & set(_SPREAD_KEYS))


def spread_stages(
    stages: Mapping[str, Any], iterations: int, steps_an_iteration: float
) -> list[Stage]:
    """Place stages at equal distances, so that they take a share of the cost of training.

    A draw of an image counts :data:`DRAW_COST` of an image in training, from which the student
    learns too.

    Args:
        stages: The number of stages ``count`` and/or their ``share`` of the cost, see
            :data:`DEFAULT_STAGES`.
        iterations: The number of student iterations.
        steps_an_iteration: The number of stage steps that look at as many draws as a student
            iteration has images.

    Raises:
        KeyError: A key is unknown.
        ValueError: A value is not allowed.
    """
    reject_unknown_keys('stages', stages, _SPREAD_KEYS)
    given = {**DEFAULT_STAGES, **stages}
    count, share = _whole_number('stages', given, 'count', 1), given['share']
    number = isinstance(share, (int, float)) and not isinstance(share, bool)
    if not number or not 0 < share <= 1:
        raise ValueError(f'stages.share is {share!r}; allowed: above 0, at most 1')
    length = max(1, int(share * iterations * steps_an_iteration / DRAW_COST / count))
    # A training of fewer iterations has fewer stages.
    begins = dict.fromkeys(int((i + 0.5) * iterations / count) for i in range(count))
    return [Stage(begin, length) for begin in begins]


def resolve_stages(
    specs: Sequence[StageSpec], end: float, unit: str, begin_unit: int, length_unit: int
) -> list[Stage]:
    """Turn stages into iterations.

    Args:
        specs: The stages that :func:`parse_stages` gave.
        end: Where student training ends, in ``unit``.
        unit: The unit of ``end``, ``'epochs'`` or ``'iterations'``, for messages.
        begin_unit: The number of student iterations in one unit.
        length_unit: The number of augmenter iterations in one unit.

    Raises:
        ValueError: A stage begins at or beyond the end, where it would never run.
    """
    for i, spec in enumerate(specs):
        if spec.begin >= end:
            raise ValueError(
                f'stages[{i}].begin is {spec.begin} {unit}, but student training ends after '
                f'{end:g} {unit}; allowed: begins before the end, in {unit} (by_epoch tells which)'
            )
    return [
        Stage(
            spec.begin * begin_unit,
            spec.iters if spec.length is None else spec.length * length_unit,  # type: ignore[arg-type]
        )
        for spec in specs
    ]


def _expand_period(period: Mapping[str, Any], end: float | None) -> list[StageSpec]:
    reject_unknown_keys('stages', period, _PERIOD_KEYS)
    first = _whole_number('stages', period, 'first', 0)
    every = _whole_number('stages', period, 'every', 1)
    length = _parse_length('stages', period)
    begins = [first]
    while end is not None and begins[-1] + every < end:
        begins.append(begins[-1] + every)
    return [StageSpec(begin, **length) for begin in begins]


def _parse_length(where: str, stage: Mapping[str, Any]) -> dict[str, int]:
    given = [key for key in ('length', 'iters') if key in stage]
    if len(given) != 1:
        raise KeyError(
            f'{where} has {" and ".join(given) or "no length"}; '
            'allowed: either length (in the unit of begin) or iters (in augmenter iterations)'
        )
    return {given[0]: _whole_number(where, stage, given[0], 1)}


def _whole_number(where: str, stage: Mapping[str, Any], key: str, least: int) -> int:
    if key not in stage:
        raise KeyError(f'{where} has no {key}; it needs one')
    value = stage[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f'{where}.{key} is {value!r}; allowed: whole numbers from {least}')
    return value
