"""The history of a policy over training, read from ``policy.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tst_mm.augment.policy_file import read_policy

from .amount import Amount
from .evidence import Evidence

#: The rate and magnitude that a policy starts from by default.
_NEUTRAL = 0.5
#: The keys that an operator, and below those that an entry of the history, must have.
_OPERATOR_KEYS = ('name', 'rate', 'magnitude', 'physical', 'unit')
_KEYS = ('stage', 'step', 'iter', 'rates', 'magnitudes')
#: The keys that an entry has where the models have a plain class loss.
_CONFIDENCES = ('teacher_confidence', 'student_confidence')


@dataclass(frozen=True)
class History:
    """Rates and magnitudes over training, where they ended, and what they rest on.

    Time counts steps of both kinds, the student's and the augmenter's, so that an augmenter stage
    has a width on the axis although the student stands still in it.

    Attributes:
        names: The names of the N operators.
        learned: Whether the magnitude of each operator is learned, N entries.
        physical: The final magnitude of each operator in words (``'15 degrees'``), N entries;
            empty where it is not learned.
        start_rates: The rates before the first stage, (N,) in [0, 1].
        start_magnitudes: The magnitudes before the first stage, (N,) in [0, 1]; without meaning
            where not learned.
        final_rates: The final rates, (N,) in [0, 1].
        final_magnitudes: The final magnitudes, (N,) in [0, 1]; NaN where not learned.
        time: The time of each entry in steps, (T,).
        rates: The rates over time, (T, N) in [0, 1].
        magnitudes: The magnitudes over time, (T, N) in [0, 1].
        teacher: The confidence of the teacher on augmented images, (T,) in [0, 1]; NaN where it
            was not measured.
        student: The confidence of the student on the same images, (T,) in [0, 1]; NaN likewise.
        stages: The index of the augmenter stage of each entry, (T,).
        bands: The begin and the end of each stage, in ``time``.
        evidence: The effects of the operators; None where the search has none.
        amount: The fraction of augmented images; None where it is fixed.
        iteration: The last student iteration that the file knows of.
    """

    names: tuple[str, ...]
    learned: tuple[bool, ...]
    physical: tuple[str, ...]
    start_rates: np.ndarray
    start_magnitudes: np.ndarray
    final_rates: np.ndarray
    final_magnitudes: np.ndarray
    time: np.ndarray
    rates: np.ndarray
    magnitudes: np.ndarray
    teacher: np.ndarray
    student: np.ndarray
    stages: np.ndarray
    bands: list[tuple[float, float]]
    evidence: Evidence | None
    amount: Amount | None
    iteration: float

    @property
    def confident(self) -> np.ndarray:
        """Whether each entry has confidences, (T,) bool."""
        return np.isfinite(self.teacher) & np.isfinite(self.student)

    @classmethod
    def load(cls, path: str | Path) -> History:
        """Read ``policy.json``; errors are those of :func:`read_policy` and :meth:`from_dict`."""
        return cls.from_dict(read_policy(path))

    @classmethod
    def from_dict(cls, policy: Mapping[str, Any]) -> History:
        """Take the history from the content of ``policy.json``.

        Raises:
            KeyError: An operator or an entry of the history lacks a key.
            ValueError: There are no operators, or values are no numbers or too few.
        """
        operators, entries = policy.get('operators'), policy.get('history', [])
        if not isinstance(operators, Sequence) or not operators:
            raise ValueError('the policy has no operators')
        if not isinstance(entries, Sequence):
            raise ValueError(f'history of the policy is {entries!r}; allowed: a list')
        for where, items, keys in (
            ('operators', operators, _OPERATOR_KEYS),
            ('history', entries, _KEYS),
        ):
            for i, item in enumerate(items):
                _check(f'{where}[{i}] of the policy', item, keys)
        for key in ('stage', 'step', 'iter'):
            _numbers(key, [entry[key] for entry in entries])
        _numbers('physical', [operator['physical'] for operator in operators])
        names = tuple(str(operator['name']) for operator in operators)
        magnitudes = [operator['magnitude'] for operator in operators]
        time, bands = _timeline(entries)
        neutral = [_NEUTRAL] * len(names)
        start = policy.get('start', {'rates': neutral, 'magnitudes': neutral})
        _check('start of the policy', start, ('rates', 'magnitudes'))
        teacher, student = (
            _numbers(key, [np.nan if entry.get(key) is None else entry[key] for entry in entries])
            for key in _CONFIDENCES
        )
        amount = Amount.from_dict(policy)
        looked = [] if amount is None else amount.iterations.tolist()
        return cls(
            names=names,
            learned=tuple(magnitude is not None for magnitude in magnitudes),
            physical=tuple(_describe(operator) for operator in operators),
            start_rates=_table('rates', [start], len(names), 'start')[0],
            start_magnitudes=_table('magnitudes', [start], len(names), 'start')[0],
            final_rates=_numbers('rate of the operators', [op['rate'] for op in operators]),
            final_magnitudes=_numbers(
                'magnitude of the operators', [np.nan if m is None else m for m in magnitudes]
            ),
            time=time,
            rates=_table('rates', entries, len(names)),
            magnitudes=_table('magnitudes', entries, len(names)),
            teacher=teacher,
            student=student,
            stages=np.array([entry['stage'] for entry in entries], int),
            bands=bands,
            evidence=Evidence.from_dict(policy),
            amount=amount,
            iteration=max([0, *(entry['iter'] for entry in entries), *looked]),
        )

    def __len__(self) -> int:
        return len(self.time)


def _check(where: str, item: Any, keys: Sequence[str]) -> None:
    if not isinstance(item, Mapping):
        raise ValueError(f'{where} is {item!r}; allowed: an object')
    missing = [key for key in keys if key not in item]
    if missing:
        raise KeyError(f'{where} lacks {", ".join(missing)}')


def _table(
    key: str, entries: Sequence[Mapping[str, Any]], count: int, where: str = 'history'
) -> np.ndarray:
    """The numbers under a key, (T, N), with a row for each entry."""
    for i, entry in enumerate(entries):
        if not isinstance(entry[key], Sequence) or len(entry[key]) != count:
            raise ValueError(
                f'{key} of {where}[{i}] are {entry[key]!r}; allowed: {count} numbers, one an '
                'operator'
            )
    return _numbers(key, [entry[key] for entry in entries]).reshape(len(entries), count)


def _numbers(what: str, values: Sequence[Any]) -> np.ndarray:
    try:
        return np.array(values, float)
    except (TypeError, ValueError):
        raise ValueError(f'{what} in the policy are {values!r}; allowed: numbers') from None


def _timeline(
    entries: Sequence[Mapping[str, Any]],
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """The time of each entry, and the begin and the end of each stage."""
    length = {}  # the last step seen of each stage, in order
    begin = {}
    for entry in entries:
        begin.setdefault(entry['stage'], entry['iter'])
        length[entry['stage']] = entry['step']
    before, offset = 0, {}
    for stage, steps in length.items():
        offset[stage] = before
        before += steps
    time = [entry['iter'] + offset[entry['stage']] + entry['step'] for entry in entries]
    bands = [
        (begin[stage] + offset[stage], begin[stage] + offset[stage] + steps)
        for stage, steps in length.items()
    ]
    return np.array(time, float), bands


def _describe(operator: Mapping[str, Any]) -> str:
    """Write the final magnitude of an operator in words."""
    if operator['magnitude'] is None:
        return ''
    return f'{operator["physical"]:.3g} {operator["unit"]}'.rstrip()
