"""docs/results.md and its pictures, from the file of results and the template page.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from benchmarks.small import comparison
from benchmarks.small import report as small
from tst_mm.augment import LearnedAugmenter
from tst_mm.experiments import markdown_table

from . import pictures
from .book import Book
from .matrix import BASELINES_BEFORE, BEFORE, TASKS
from .results import Row
from .statistics import Difference, mean_sd

_PAGE = Path(__file__).with_name('page.md')
_SEARCHES = Path(__file__).with_name('searches.md')
#: What ``python -m benchmarks.signal`` writes.
_SIGNAL = Path(__file__).parents[1] / 'signal.json'


def write_report(
    rows: Sequence[Row],
    folder: Path,
    before: Sequence[Row] = (),
    small_runs: Sequence[Mapping[str, Any]] = (),
) -> list[Path]:
    """Write ``results.md`` and ``images/results_*.png``.

    Args:
        rows: Of the file of results.
        folder: That of the documentation.
        before: Rows of the search by gradient, kept as history.
        small_runs: Lines of the file of ``benchmarks.small``.

    Returns:
        What was written.

    Raises:
        ValueError: There is no result of a test split.
    """
    now = Book([row for row in rows if row.split == 'test'])
    old = Book([row for row in before if row.split == 'test'], BEFORE, BASELINES_BEFORE, ())
    if not now.tasks() and not old.tasks():
        raise ValueError(
            'no results of a test split; run `python -m benchmarks.accuracy run` first'
        )
    images = folder / 'images'
    images.mkdir(parents=True, exist_ok=True)
    others = {
        TASKS[task].title: {method: now.values(task, method) for method in now.methods(task)}
        for task in now.tasks()
    }
    comparison.draw(small_runs, others, images / 'results_headline.png')
    page = Template(_PAGE.read_text()).substitute(
        runs=len(rows),
        commits=_commits(rows),
        headline=comparison.headline(small_runs, others) or 'Nothing to compare yet.',
        summary=comparison.summary(small_runs, others),
        verdict=_verdict(now, small_runs),
        students=_students(now),
        ablations='\n\n'.join(filter(None, (comparison.ablations(small_runs), _ablations(now))))
        or 'None yet.',
        policies=_policies(now),
        pictures=_pictures(now, 'results'),
        signal=_signal(),
        small=small.section(small_runs, images),
        runs_before=len(before),
        commits_before=_commits(before),
        verdict_before=_verdict(old),
        students_before=_students(old),
        policies_before=_policies(old),
        pictures_before=_pictures(old, 'results_before'),
        searches=_SEARCHES.read_text().strip(),
    )
    path = folder / 'results.md'
    path.write_text(page)
    drawn = ['headline', *(('amounts', 'learned') if small_runs else ())]
    paths = [path, *(images / f'results_{name}.png' for name in drawn)]
    for book, stem, start in ((now, 'results', None), (old, 'results_before', 0.5)):
        if book.tasks():
            paths += pictures.draw_all(book, images, stem, start)
    return paths


def _commits(rows: Sequence[Row]) -> str:
    named = ', '.join(f'`{commit}`' for commit in dict.fromkeys(row.commit for row in rows))
    return named or 'none yet'


def _verdict(book: Book, small_runs: Sequence[Mapping[str, Any]] = ()) -> str:
    """Where TST is above, where not: one line a baseline."""
    lines = []
    fixed = [name for name in book.titles if name.startswith(('randaugment', 'trivialaugment'))]
    for other in (*book.baselines, *fixed):
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
        lines.append(f'- {book.titles["tst"]} against {book.titles[other]}: {"; ".join(said)}.')
    if said := comparison.verdict(small_runs):
        lines = [
            'Small trainings:\n',
            said,
            *(['\nThrough tools/train.py:\n'] if lines else []),
            *lines,
        ]
    return '\n'.join(lines) or 'No method was run with two seeds yet, so nothing is claimed.'


def _students(book: Book) -> str:
    parts = []
    for task in book.tasks():
        teacher = book.seeds(TASKS[task].data, 'teacher')
        reached = f' (the teacher: {next(iter(teacher.values())).metric:.1f})' if teacher else ''
        parts.append(f'### {TASKS[task].title}')
        parts.append(f'{TASKS[task].about}{reached}; {TASKS[task].budget} steps of KD.')
        parts.append(_table(book, task, book.methods(task, without=book.ablations), book.baselines))
    return '\n\n'.join(parts) or 'Nothing yet: `python -m benchmarks.accuracy run`.'


def _ablations(book: Book) -> str:
    parts = []
    for task in book.tasks():
        names = [name for name in book.methods(task) if name in book.ablations]
        if names:
            parts.append(f'### {TASKS[task].title}: one thing changed')
            parts.append(_table(book, task, ['tst', *names], ('tst',)))
    return '\n\n'.join(parts)


def _pictures(book: Book, stem: str) -> str:
    if not book.tasks():
        return ''
    titles = [book.titles[name] for name in book.baselines]
    return (
        f'![Differences to {" and to ".join(titles)}](images/{stem}_differences.png)\n\n'
        f'![Learned rates and magnitudes over seeds](images/{stem}_policies.png)'
    )


def _table(book: Book, task: str, methods: Sequence[str], others: Sequence[str]) -> str:
    head = ['', TASKS[task].head, 'seeds', 'steps', 'time']
    for other in others:
        head += [f'- {book.titles[other]}', 'bootstrap', '*t*']
    base = mean_sd([row.seconds for row in book.seeds(task, 'kd').values()] or [1.0])[0]
    rows = []
    for method in methods:
        found = book.seeds(task, method)
        seconds = mean_sd([row.seconds for row in found.values()])[0]
        cells = [
            book.titles[method],
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
    start = {operator.name: operator.rate for operator in LearnedAugmenter().operators}
    for task in book.tasks():
        found = [row.policy for row in book.seeds(task, 'tst').values() if row.policy]
        if len(found) < 2:
            continue
        rates = {name: mean_sd([policy[name][0] for policy in found]) for name in found[0]}
        moved = {n: (m, sd) for n, (m, sd) in rates.items() if sd is not None}
        agree = [
            f'{name} {mean:.2f}'
            for name, (mean, sd) in sorted(moved.items(), key=lambda item: -item[1][0])
            if abs(mean - start[name]) > max(2 * sd, 0.1)
        ]
        spread = max(sd for _, sd in moved.values())
        lines.append(
            f'- {TASKS[task].title}, {len(found)} seeds: {", ".join(agree) or "none"}; '
            f'largest standard deviation of a rate {spread:.2f}'
        )
    return '\n'.join(lines) or 'Nothing yet.'


def _signal() -> str:
    """What ``benchmarks.signal`` found."""
    if not _SIGNAL.exists():
        return 'Not measured yet.'
    from benchmarks.signal import table

    found = json.loads(_SIGNAL.read_text())
    commits = ', '.join(dict.fromkeys(f'`{entry["commit"]}`' for entry in found.values()))
    return f'At commit {commits}:\n\n{table(found)}'


def _spread(values: Sequence[float]) -> str:
    mean, sd = mean_sd(values)
    return f'{mean:.2f}' if sd is None else f'{mean:.2f} ± {sd:.2f}'


def _signed(value: float) -> str:
    return f'{value:+.2f}'


def _interval(bounds: tuple[float, float]) -> str:
    return f'{bounds[0]:+.2f} to {bounds[1]:+.2f}'
