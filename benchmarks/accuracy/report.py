"""docs/results.md and its pictures, from the file of results and the template page.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

from tst_mm.experiments import markdown_table

from . import pictures
from .book import Book
from .matrix import ABLATIONS, BASELINES, METHODS, STUDENTS, TASKS, VARIANTS
from .results import Row
from .statistics import Difference, mean_sd

_PAGE = Path(__file__).with_name('page.md')
_READING = Path(__file__).with_name('reading.md')
_SEARCHES = Path(__file__).with_name('searches.md')
_GRADIENTS = Path(__file__).with_name('gradients.json')


def write_report(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write ``results.md`` and ``images/results_*.png``.

    Args:
        rows: The rows of the file of results.
        folder: The folder of the documentation.

    Returns:
        What was written.

    Raises:
        ValueError: There is no result of a test split.
    """
    test = Book([row for row in rows if row.split == 'test'])
    val = Book([row for row in rows if row.split == 'val'])
    if not test.tasks():
        raise ValueError(
            'no results of a test split; run `python -m benchmarks.accuracy run` first'
        )
    images = folder / 'images'
    images.mkdir(parents=True, exist_ok=True)
    page = Template(_PAGE.read_text()).substitute(
        runs=len(rows),
        commits=', '.join(f'`{commit}`' for commit in dict.fromkeys(row.commit for row in rows)),
        verdict=_verdict(test),
        about_few_shot=_about(test, dense=False),
        about_dense=_about(test, dense=True),
        students=_students(test),
        ablations=_ablations(test),
        policies=_policies(test),
        gap=_confidence(test),
        gradients=_gradients(),
        variants=_variants(val),
        reading=Template(_READING.read_text())
        .substitute(searches=_SEARCHES.read_text().strip())
        .strip(),
    )
    path = folder / 'results.md'
    path.write_text(page)
    return [path, *pictures.draw_all(test, images)]


def _verdict(book: Book) -> str:
    """Where TST is above, where not: one line a baseline, and one for both together."""
    lines = []
    for other in (*BASELINES, 'randaugment'):
        found: dict[str, list[str]] = {'above': [], 'not told apart from': [], 'below': []}
        for task in book.tasks():
            gap = book.gap(task, 'tst', other)
            if gap is None:
                continue
            verdict = (
                'above' if gap.above_zero else 'below' if gap.below_zero else 'not told apart from'
            )
            found[verdict].append(f'{TASKS[task].title} ({_signed(gap.mean)})')
        if not any(found.values()):
            continue
        said = [f'{verdict} it on {"; ".join(where)}' for verdict, where in found.items() if where]
        lines.append(f'- TST against {METHODS[other].title}: {"; ".join(said)}.')
    return '\n'.join(lines)


def _about(book: Book, dense: bool) -> str:
    few_shot = 'ClassificationDistiller'
    tasks = [t for t in book.tasks() if (TASKS[t].distiller != few_shot) == dense]
    return (
        '; '.join(f'{TASKS[t].about} ({TASKS[t].budget} steps of KD)' for t in tasks) or 'none yet'
    )


def _students(book: Book) -> str:
    parts = []
    for task in book.tasks():
        teacher = book.seeds(TASKS[task].data, 'teacher')
        reached = f' (the teacher: {next(iter(teacher.values())).metric:.1f})' if teacher else ''
        parts.append(f'### {TASKS[task].title}\n\n{TASKS[task].about}{reached}.')
        parts.append(_table(book, task, book.methods(task, [*STUDENTS, *VARIANTS]), BASELINES))
    return '\n\n'.join(parts)


def _ablations(book: Book) -> str:
    parts = []
    for task in book.tasks():
        names = book.methods(task, list(ABLATIONS))
        if names:
            parts.append(f'### {TASKS[task].title}: one thing changed')
            parts.append(_table(book, task, ['tst', *names], ('tst',)))
    return '\n\n'.join(parts) or 'None yet.'


def _variants(book: Book) -> str:
    parts = []
    for task in book.tasks():
        parts.append(f'### {TASKS[task].title}, validation images')
        parts.append(_table(book, task, book.methods(task, list(METHODS)), BASELINES))
    return '\n\n'.join(parts) or 'Nothing yet.'


def _table(book: Book, task: str, methods: Sequence[str], others: Sequence[str]) -> str:
    head = ['', TASKS[task].head, 'seeds', 'steps', 'time']
    for other in others:
        head += [f'- {METHODS[other].title}', 'bootstrap', '*t*']
    base = mean_sd([row.seconds for row in book.seeds(task, 'kd').values()] or [1.0])[0]
    rows = []
    for method in methods:
        found = book.seeds(task, method)
        seconds = mean_sd([row.seconds for row in found.values()])[0]
        cells = [
            METHODS[method].title,
            _spread([row.metric for row in found.values()]),
            str(len(found)),
            f'{next(iter(found.values())).steps:,}',
            f'{seconds / base:.2f} x',
        ]
        for other in others:
            gap = book.gap(task, method, other) if method != other else None
            cells += _gap_cells(gap)
        rows.append(cells)
    return markdown_table(head, rows)


def _gap_cells(gap: Difference | None) -> list[str]:
    if gap is None:
        return ['', '', '']
    bold = '**' if gap.above_zero or gap.below_zero else ''
    return [f'{bold}{_signed(gap.mean)}{bold}', _interval(gap.bootstrap), _interval(gap.student)]


def _policies(book: Book) -> str:
    """How far seeds agree: the spread over seeds beside the distance from the start."""
    lines = []
    for task in book.tasks():
        found = [row.policy for row in book.seeds(task, 'tst').values() if row.policy]
        if len(found) < 2:
            continue
        rates = {name: mean_sd([policy[name][0] for policy in found]) for name in found[0]}
        moved = {n: (m, sd) for n, (m, sd) in rates.items() if sd is not None}
        agree = [
            f'{name} {mean:.2f}'
            for name, (mean, sd) in sorted(moved.items(), key=lambda item: -item[1][0])
            if abs(mean - 0.5) > 2 * sd and abs(mean - 0.5) > 0.1
        ]
        spread = max(sd for _, sd in moved.values())
        lines.append(
            f'- {TASKS[task].title}, {len(found)} seeds: {", ".join(agree) or "none"}; '
            f'largest standard deviation of a rate {spread:.2f}'
        )
    return '\n'.join(lines) or 'Nothing yet.'


def _confidence(book: Book) -> str:
    lines = []
    for task in book.tasks():
        gaps = [
            [stage[1] - stage[2] for stage in row.stages]
            for row in book.seeds(task, 'tst').values()
            if row.stages
        ]
        if gaps:
            first = mean_sd([values[0] for values in gaps])[0]
            last = mean_sd([values[-1] for values in gaps])[0]
            lines.append(f'- {TASKS[task].title}: from {first:+.2f} to {last:+.2f}')
    return '\n'.join(lines)


def _gradients() -> str:
    """What ``benchmarks.accuracy.gradients`` found."""
    if not _GRADIENTS.exists():
        return 'Not measured yet.'
    found = json.loads(_GRADIENTS.read_text())
    names = list(next(iter(found.values()))['effects'])
    rows = [
        [
            name,
            *(
                f'{teacher:+.2f} {own:+.2f} = {teacher + own:+.2f} ± {error:.2f}'
                for teacher, own, error in (task['effects'][name] for task in found.values())
            ),
        ]
        for name in names
    ]
    table = markdown_table(
        ["teacher's + student's term", *(TASKS[name].title for name in found)], rows
    )
    lines = [
        f'- {TASKS[name].title}: the gradient of a step over 16 images has a signal of '
        f'{task["signal_to_noise"]:.2f} of its noise, mean of the operators; its mean correlates '
        f'with the effects by {task["correlation"]:.2f}; three times its noise takes about '
        f'{task["images"]:,.0f} images.'
        for name, task in found.items()
    ]
    return f'{table}\n\n' + '\n'.join(lines)


def _spread(values: Sequence[float]) -> str:
    mean, sd = mean_sd(values)
    return f'{mean:.2f}' if sd is None else f'{mean:.2f} ± {sd:.2f}'


def _signed(value: float) -> str:
    return f'{value:+.2f}'


def _interval(bounds: tuple[float, float]) -> str:
    return f'{bounds[0]:+.2f} to {bounds[1]:+.2f}'
