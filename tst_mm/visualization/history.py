"""The history of a policy over training, read from ``policy.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

#: What one entry of the history must have.
_KEYS = (
    'stage',
    'step',
    'iter',
    'rates',
    'magnitudes',
    'teacher_confidence',
    'student_confidence',
)


@dataclass(frozen=True)
class History:
    """Rates, magnitudes and confidences over training.

    Time counts optimiser steps of both kinds, the student's and the augmenter's, so that an
    augmenter stage has a width on the axis although the student stands still in it.

    Attributes:
        names: N operator names.
        learned: N, whether the operator's magnitude is learned.
        physical: N, the final magnitude in words (``'15 degrees'``), empty where not learned.
        time: (T,) steps.
        rates: (T, N) in [0, 1].
        magnitudes: (T, N) in [0, 1].
        teacher: (T,) confidence of the teacher on augmented images, in [0, 1].
        student: (T,) the same of the student.
        stages: (T,) index of the augmenter stage.
        bands: Begin and end of each stage, in ``time``.
    """

    names: tuple[str, ...]
    learned: tuple[bool, ...]
    physical: tuple[str, ...]
    time: np.ndarray
    rates: np.ndarray
    magnitudes: np.ndarray
    teacher: np.ndarray
    student: np.ndarray
    stages: np.ndarray
    bands: list[tuple[float, float]]

    @classmethod
    def load(cls, path: str | Path) -> History:
        """Read ``policy.json``."""
        return cls.from_dict(json.loads(Path(path).read_text(encoding='utf-8')))

    @classmethod
    def from_dict(cls, policy: Mapping[str, Any]) -> History:
        """Read the content of ``policy.json``.

        Raises:
            KeyError: When the policy has no operators or an entry of its history lacks a key.
        """
        operators, entries = policy['operators'], policy.get('history', [])
        for i, entry in enumerate(entries):
            missing = [key for key in _KEYS if key not in entry]
            if missing:
                raise KeyError(f'history[{i}] of the policy lacks {", ".join(missing)}')
        time, bands = _timeline(entries)
        shape = (len(entries), len(operators))
        return cls(
            names=tuple(operator['name'] for operator in operators),
            learned=tuple(operator['magnitude'] is not None for operator in operators),
            physical=tuple(_describe(operator) for operator in operators),
            time=time,
            rates=np.array([entry['rates'] for entry in entries], float).reshape(shape),
            magnitudes=np.array([entry['magnitudes'] for entry in entries], float).reshape(shape),
            teacher=np.array([entry['teacher_confidence'] for entry in entries], float),
            student=np.array([entry['student_confidence'] for entry in entries], float),
            stages=np.array([entry['stage'] for entry in entries], int),
            bands=bands,
        )

    def __len__(self) -> int:
        return len(self.time)


def _timeline(
    entries: Sequence[Mapping[str, Any]],
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Time of each entry, and begin and end of each stage."""
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
    """The final magnitude in words."""
    if operator['magnitude'] is None:
        return ''
    return f'{operator["physical"]:.3g} {operator["unit"]}'.rstrip()
