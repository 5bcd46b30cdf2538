"""The report of one run or several: single figures, and one page with all of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tst_mm.utils.files import write_bytes

from . import page
from .agreement import plot_agreement
from .confidence import plot_confidence
from .distribution import plot_distribution
from .figure import darken, to_png
from .final_policy import operator_names, plot_final_policy
from .history import History
from .policy_curves import plot_policy
from .run_record import RunRecord

_UNTRAINED = 'No augmenter stage has run: the policy is where it started.'
_UNMEASURED = (
    'Not measured: a run measures it itself at its end, with tst_mm.PolicyReportHook among its '
    'hooks (tools/train.py adds it).'
)

#: Figures of one run: file name, heading, how to read it, what to say in its absence, drawing.
_OF_A_RUN: tuple[tuple[str, str, str, str, Callable[[RunRecord], Any]], ...] = (
    (
        'policy',
        'Rates and magnitudes over training',
        'Above each panel: the last rate, and the last magnitude in physical units. The policy '
        'moves in the augmenter stages, the grey bands, and stands still between them.',
        _UNTRAINED,
        lambda run: plot_policy(run.history, end=_length(run)) if len(run.history) else None,
    ),
    (
        'confidence',
        'Confidence of teacher and student in the augmenter stages',
        'The probability that each gives to the truth on augmented images, and the gap between '
        'them. A stage does its work when the gap opens and the teacher stays sure.',
        _UNTRAINED,
        lambda run: plot_confidence(run.history) if len(run.history) else None,
    ),
    (
        'distribution',
        'Confidence on original and on augmented images',
        'The same probability image by image (classification), object by object (detection) or '
        'pixel by pixel (segmentation), for training images as they are and as the final policy '
        'augments them. Good augmentation moves the student to the left and leaves the teacher.',
        _UNMEASURED,
        lambda run: run.distribution and plot_distribution(run.distribution),
    ),
    (
        'images',
        'What the policy makes of training images',
        'Each image above its augmented version, with the operators that acted on it and the '
        'labels that the student gets.',
        _UNMEASURED,
        lambda run: run.images,
    ),
)


def write_report(path: str | Path, runs: Sequence[RunRecord]) -> list[Path]:
    """Write the page, and beside it a folder of its name with the single figures.

    Args:
        path: The page, ``something.html``.
        runs: What it shows; several are compared.

    Returns:
        The page and the figures. Each file is complete or as before.

    Raises:
        ValueError: There is no run.
        OSError: A file cannot be written.
    """
    path = Path(path)
    folder = path.with_suffix('')
    folder.mkdir(parents=True, exist_ok=True)
    single = len(runs) == 1
    histories = {run.name: run.history for run in runs}
    shared = {'final_policy': plot_final_policy(histories)}
    if not single:
        shared['agreement'] = plot_agreement(histories)
    files: dict[str, bytes] = {}

    def show(name: str, caption: str, title: str, drawn: Any) -> str:
        light, dark = _render(drawn) if isinstance(drawn, Figure) else drawn
        while f'{name}.png' in files:  # runs a/b and a-b
            name += '_'
        files[f'{name}.png'] = light
        return page.picture(caption, f'{title}: {caption}' if caption else title, light, dark)

    parts = [page.paragraph(_lead(runs)), _origin(runs)]
    parts.append(
        page.section(
            'The final policy' if single else 'The final policies',
            'How often each operator acts when it is drawn (rate), how strongly (magnitude), and '
            'what that is in physical units; without a unit it is the change of a factor of 1.',
            [show('final_policy', '', 'final policy', shared['final_policy']), _values(histories)],
        )
    )
    if not single:
        parts.append(
            page.section(
                'Agreement',
                'Runs that differ by as much as they moved have not found the same policy: what '
                'they learned is then chance rather than a property of the task.',
                [show('agreement', '', 'agreement', shared['agreement'])],
            )
        )
    for name, title, text, absent, draw in _OF_A_RUN:
        shown = []
        for run in runs:
            drawn = draw(run)
            if drawn is None:
                shown.append(page.paragraph(absent if single else f'{run.name}: {absent}'))
            else:
                file = name if single else f'{name}_{_slug(run.name)}'
                shown.append(show(file, '' if single else run.name, title, drawn))
        parts.append(page.section(title, text, shown))
    for name, content in files.items():
        write_bytes(folder / name, content)
    title = runs[0].name if single else f'{len(runs)} runs'
    write_bytes(path, page.page(f'TST report: {title}', parts).encode())
    return [path, *(folder / name for name in files)]


def default_path(folders: Sequence[str | Path]) -> Path:
    """Where the report of some work folders goes: into the folder, or beside several."""
    paths = [Path(folder).resolve() for folder in folders]
    if len(paths) == 1:
        return paths[0] / 'report.html'
    return Path(os.path.commonpath([path.parent for path in paths]), 'report.html')


def _length(run: RunRecord) -> float | None:
    """Steps of student and augmenter until the run was measured; None when it was not."""
    if run.distribution is None:
        return None
    return run.distribution.iteration + sum(end - begin for begin, end in run.history.bands)


def _render(figure: Figure) -> tuple[bytes, bytes]:
    """For a light and for a dark page."""
    return to_png(figure), to_png(darken(figure))


def _lead(runs: Sequence[RunRecord]) -> str:
    """The run in a sentence."""
    if len(runs) > 1:
        return f'Learned augmentation policies compared: {", ".join(run.name for run in runs)}.'
    (run,) = runs
    if not len(run.history):
        return _UNTRAINED
    teacher, student = run.history.teacher[-1], run.history.student[-1]
    count = len(run.history.bands)
    return (
        f'A learned augmentation policy after {count} augmenter stage{"s" if count > 1 else ""}. '
        f'At the end, on augmented images, the teacher gives the truth a probability of '
        f'{teacher:.2f}, the student {student:.2f}.'
    )


def _origin(runs: Sequence[RunRecord]) -> str:
    """Provenance, and where the confidence was measured, as a table with a column a run."""
    facts = [dict(run.provenance) for run in runs]
    for fact, run in zip(facts, runs, strict=True):
        if 'stages' in fact:
            fact['stages'] = _stages(fact['stages'])
        if run.distribution is not None:
            found = run.distribution
            fact['measured'] = f'after {found.iteration} iterations, on {found.images} images'
    keys = dict.fromkeys(key for fact in facts for key in fact)
    rows = [[str(key), *(_text(fact.get(key)) for fact in facts)] for key in keys]
    return page.table(['', *(run.name for run in runs)], rows) if rows else ''


def _stages(stages: Any) -> Any:
    """Pairs of begin and length in words, the first of many."""
    try:
        words = [f'{length} steps at iteration {begin}' for begin, length in stages]
    except (TypeError, ValueError):
        return stages
    more = [f'... ({len(words)} in all)'] if len(words) > 4 else []
    return ', '.join([*words[: 3 if more else 4], *more]) or 'none'


def _text(value: Any) -> str:
    """Plain data in words."""
    if isinstance(value, Mapping):
        return ', '.join(f'{key}: {_text(item)}' for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ', '.join(map(_text, value))
    return '–' if value is None else str(value)


def _values(histories: Mapping[str, History]) -> str:
    """Rates and physical values as a table with a row an operator."""
    names = operator_names(histories)
    single = len(histories) == 1
    head = ['operator']
    rows = [[name] for name in names]
    for run, history in histories.items():
        head += ['rate', 'physical value'] if single else [f'{run}: rate', 'physical value']
        for row in rows:
            if row[0] not in history.names:
                row += ['–', '']
                continue
            i = history.names.index(row[0])
            row += [f'{np.round(history.final_rates[i], 3):.1%}', history.physical[i]]
    return page.table(head, rows)


def _slug(name: str) -> str:
    """A run's name as part of a file name."""
    return re.sub(r'[^\w.-]+', '-', name).strip('-.') or 'run'
