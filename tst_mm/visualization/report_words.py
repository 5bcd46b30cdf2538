"""The words and tables of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import page
from .effects import with_error
from .final_policy import operator_names
from .history import History
from .run_record import RunRecord


def lead(runs: Sequence[RunRecord]) -> str:
    """Describe the runs in a sentence or two."""
    if len(runs) > 1:
        return f'Learned augmentation policies compared: {", ".join(run.name for run in runs)}.'
    (run,) = runs
    history = run.history
    if not len(history):
        return 'No augmenter stage has run: the policy is where it started.'
    count = len(history.bands)
    words = f'A learned augmentation policy after {count} augmenter stage{"s" * (count > 1)}.'
    found = run.distribution
    if found is not None:
        means = found.means['augmented']
        words += (
            f' Measured after {found.iteration} iterations, on {found.images} training images as '
            f'the policy augments them: the teacher gives the truth '
            f'{means["teacher"]:.2f} on average, the student {means["student"]:.2f}.'
        )
    elif history.confident.any():
        last = np.flatnonzero(history.confident)[-1]
        words += (
            f' In stage {history.stages[last] + 1}, the last one with a measurement, the teacher '
            f'gave the truth {history.teacher[last]:.2f} on average, the student '
            f'{history.student[last]:.2f}.'
        )
    return words


def origin(runs: Sequence[RunRecord]) -> str:
    """Make a table of provenance and of measurements, with a column for each run."""
    facts = [dict(run.provenance) for run in runs]
    for fact, run in zip(facts, runs, strict=True):
        if 'stages' in fact:
            fact['stages'] = _stages(fact['stages'])
        if run.distribution is not None:
            found = run.distribution
            fact['measured'] = f'after {found.iteration} iterations, on {found.images} images'
    keys = dict.fromkeys(key for fact in facts for key in fact)
    rows = [[str(key), *(_text(fact.get(key)) for fact in facts)] for key in keys]
    head = ['', *(run.name for run in runs)]
    return page.table(head, rows) if rows else page.paragraph('The policy file does not say.')


def values(histories: Mapping[str, History]) -> str:
    """Make a table of rates, physical values and effects, with a row for each operator."""
    names = operator_names(histories)
    single = len(histories) == 1
    head = ['operator']
    rows = [[name] for name in names]
    for run, history in histories.items():
        columns = ['rate', 'physical value']
        if history.evidence is not None:
            columns.append('effect')
        head += columns if single else [f'{run}: {columns[0]}', *columns[1:]]
        for row in rows:
            if row[0] not in history.names:
                row += ['–', *[''] * (len(columns) - 1)]
                continue
            i = history.names.index(row[0])
            row += [f'{np.round(history.final_rates[i], 3):.1%}', history.physical[i]]
            if history.evidence is not None:
                evidence = history.evidence
                row.append(with_error(evidence.effects[-1, i], evidence.errors[-1, i]))
    return page.table(head, rows)


def _stages(stages: Any) -> Any:
    """Write pairs of begin and length in words; of many only the first ones."""
    try:
        words = [f'{length} steps at iteration {begin}' for begin, length in stages]
    except (TypeError, ValueError):
        return stages
    more = [f'... ({len(words)} in all)'] if len(words) > 4 else []
    return ', '.join([*words[: 3 if more else 4], *more]) or 'none'


def _text(value: Any) -> str:
    """Write plain data in words."""
    if isinstance(value, Mapping):
        return ', '.join(f'{key}: {_text(item)}' for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ', '.join(map(_text, value))
    return '–' if value is None else str(value)
