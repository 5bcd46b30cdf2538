"""The report of one run or several: single figures, and one page with all of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tst_mm.utils.files import write_bytes

from . import page
from .agreement import plot_agreement
from .amount import plot_amount
from .confidence import plot_confidence
from .distribution import plot_distribution
from .effects import describe_effects, plot_effect_history, plot_effects
from .figure import darken, to_png
from .final_policy import plot_final_policy
from .policy_curves import plot_policy
from .report_words import lead, origin, values
from .run_record import RunRecord

_UNTRAINED = 'No augmenter stage has run: the policy is where it started.'
_UNMEASURED = (
    'Not measured: a run measures it itself at its end, with tst_mm.PolicyReportHook among its '
    'hooks (tools/train.py adds it).'
)

#: The figures of one run: file name, heading, how to read it, what to say in its absence (None says
#: nothing), and the function that draws it.
_OF_A_RUN: tuple[tuple[str, str, str, str | None, Callable[[RunRecord], Any]], ...] = (
    (
        'amount',
        'How much was augmented',
        'The fraction of images that are augmented, over training. It rises while the student '
        'imitates the teacher better on images that it trains on than on images that it has never '
        'seen (the shaded gap), and falls while it does not.',
        None,
        lambda run: run.history.amount and plot_amount(run.history.amount, run.iteration),
    ),
    (
        'effect_history',
        'Effects over the stages',
        'The same effects as they were known after each stage, with bands of 95 %. They follow the '
        'student: what it has learned is no longer worth teaching.',
        None,
        lambda run: run.history.evidence and plot_effect_history(run.history),
    ),
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
        'them: what is there to be taught. The teacher should stay sure. Stages that are no longer '
        'than the log interval have one entry each.',
        None,
        lambda run: plot_confidence(run.history) if run.history.confident.any() else None,
    ),
    (
        'distribution',
        'Confidence on original and on augmented images',
        'The probability that each gives to the truth image by image (classification), object by '
        'object (detection) or pixel by pixel (segmentation), for training images as they are and '
        'as the final policy augments them. Good augmentation moves the student to the left and '
        'leaves the teacher.',
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
        path: The path of the page, ``something.html``.
        runs: The runs that the page shows; several are compared.

    Returns:
        The paths of the page and of the figures. Each file is complete or as before.

    Raises:
        ValueError: There is no run.
        OSError: A file cannot be written.
    """
    path = Path(path)
    folder = path.with_suffix('')
    folder.mkdir(parents=True, exist_ok=True)
    single = len(runs) == 1
    files: dict[str, bytes] = {}

    def show(name: str, caption: str, title: str, drawn: Any) -> str:
        light, dark = _render(drawn) if isinstance(drawn, Figure) else drawn
        while f'{name}.png' in files:  # the runs a/b and a-b have the same slug
            name += '_'
        files[f'{name}.png'] = light
        return page.picture(caption, f'{title}: {caption}' if caption else title, light, dark)

    parts = [page.paragraph(lead(runs)), *_of_all(runs, show)]
    for name, title, text, absent, draw in _OF_A_RUN:
        shown, findings = [], ''
        for run in runs:
            drawn = draw(run)
            if drawn is not None:
                file = name if single else f'{name}_{_slug(run.name)}'
                shown.append(show(file, '' if single else run.name, title, drawn))
            elif absent is not None:
                shown.append(page.paragraph(absent if single else f'{run.name}: {absent}'))
            if name == 'amount' and run.history.amount is not None:
                words = run.history.amount.describe()
                findings += page.paragraph(words if single else f'{run.name}: {words}')
        if shown:
            parts.append(page.section(title, text, shown, findings))
    parts.append(page.section('Where it comes from', '', [origin(runs)]))
    for name, content in files.items():
        write_bytes(folder / name, content)
    title = runs[0].name if single else f'{len(runs)} runs'
    write_bytes(path, page.page(f'TST report: {title}', parts).encode())
    return [path, *(folder / name for name in files)]


def default_path(folders: Sequence[str | Path]) -> Path:
    """The path of the report on some work folders: inside of one, or beside several."""
    paths = [Path(folder).resolve() for folder in folders]
    if len(paths) == 1:
        return paths[0] / 'report.html'
    return Path(os.path.commonpath([path.parent for path in paths]), 'report.html')


def _of_all(runs: Sequence[RunRecord], show: Callable[[str, str, str, Any], str]) -> list[str]:
    """Make the sections on all runs together: effects, final policies, agreement."""
    single = len(runs) == 1
    histories = {run.name: run.history for run in runs}
    measured = {name: run for name, run in histories.items() if run.evidence is not None}
    parts = []
    if measured:
        found = ''
        for name, history in measured.items():
            found += '' if single else page.paragraph(f'{name}:')
            found += page.statements(describe_effects(history))
        rest = [name for name in histories if name not in measured]
        more = f' Without such a measurement: {", ".join(rest)}.' if rest else ''
        parts.append(
            page.section(
                'What the teacher knows and the student does not',
                'What each operator does to the value of an image for teaching, with its 95 % '
                'interval, in units of the spread of single images. Filled dots are known: at '
                'least two standard errors from zero. What is unknown moves the policy little or '
                f'not at all.{more}',
                [show('effects', '', 'effects of the operators', plot_effects(measured))],
                found,
            )
        )
    title = 'The final policy' if single else 'The final policies'
    parts.append(
        page.section(
            title,
            'How often each operator acts when it is drawn (rate), how strongly (magnitude), and '
            'what that is in physical units; without a unit it is the change of a factor of 1.',
            [show('final_policy', '', title, plot_final_policy(histories)), values(histories)],
        )
    )
    if not single:
        parts.append(
            page.section(
                'Agreement',
                'Runs that differ by as much as they moved have not found the same policy: what '
                'they learned is then chance rather than a property of the task.',
                [show('agreement', '', 'agreement', plot_agreement(histories))],
            )
        )
    return parts


def _length(run: RunRecord) -> float | None:
    """The steps of student and augmenter until the run was measured; None when it was not."""
    if run.distribution is None:
        return None
    return run.distribution.iteration + sum(end - begin for begin, end in run.history.bands)


def _render(figure: Figure) -> tuple[bytes, bytes]:
    """Give a figure as PNG for a light and for a dark page."""
    return to_png(figure), to_png(darken(figure))


def _slug(name: str) -> str:
    """Turn a run's name into a part of a file name."""
    return re.sub(r'[^\w.-]+', '-', name).strip('-.') or 'run'
