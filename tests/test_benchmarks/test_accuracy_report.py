"""The page of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.accuracy import results
from benchmarks.accuracy.report import write_report
from benchmarks.accuracy.results import Row
from benchmarks.small import report as small

ROOT = Path(__file__).resolve().parents[2]


def row(task: str, method: str, seed: int, metric: float, **more) -> Row:
    known = dict(split='test', steps=10, cost=10.0, seconds=1.0, config='c', commit='abc1234')
    return Row(task=task, method=method, seed=seed, metric=metric, **{**known, **more})


@pytest.fixture
def rows() -> list[Row]:
    """TST one above KD, as good as the untrained policy."""
    policy = {'Rotate': [0.9, 0.8], 'Invert': [0.1, None]}
    stages = [[20, 0.9, 0.6], [40, 0.9, 0.4]]
    found = [row('cifar10', 'teacher', 0, 80.0)]
    for seed, base in enumerate((50.0, 51.0, 52.0)):
        found.append(row('cifar10_1000', 'kd', seed, base))
        found.append(row('cifar10_1000', 'random', seed, base + 1 + 0.1 * (seed - 1)))
        found.append(row('cifar10_1000', 'tst', seed, base + 1, policy=policy, stages=stages))
    return found


def test_the_page_says_what_the_rows_say(rows, tmp_path):
    path, *pictures = write_report(rows, tmp_path)
    page = path.read_text()
    assert 'TST against KD: above it on CIFAR-10, 1,000 images (+1.00).' in page
    assert 'TST against KD + untrained policy, all images: not told apart from it' in page
    lines = [line for line in page.splitlines() if line.startswith('| TST ')]
    assert '+0.00' in lines[0] or 'best' in lines[0]  # of the headline
    assert 'TST against KD + RandAugment' not in page  # nobody ran it
    assert '52.00 ± 1.00' in page and 'the teacher: 80.0' in page
    assert '`abc1234`' in page and '$' not in page
    assert [picture.name for picture in pictures] == [
        'results_headline.png',
        'results_differences.png',
        'results_policies.png',
    ]
    assert all(picture.stat().st_size > 5000 for picture in pictures)


def test_the_search_by_gradient_stays_apart(rows, tmp_path):
    before = [
        row('cifar10_1000', method, seed, 30.0 + seed, commit='0ld0ld0')
        for seed in range(2)
        for method in ('kd', 'random', 'tst')
    ]
    page = write_report(rows, tmp_path, before)[0].read_text()
    now, history = page.split('## Before: the search by gradient')
    assert '0ld0ld0' not in now and 'by gradient, split' not in now
    assert '**History.** 6 runs' in history and '`0ld0ld0`' in history
    assert 'TST by gradient, split against KD: not told apart from it' in history


def test_the_last_row_of_a_cell_counts(rows, tmp_path):
    rows += [row('cifar10_1000', 'tst', seed, 10.0) for seed in range(3)]
    page = write_report(rows, tmp_path)[0].read_text()
    assert 'TST against KD: below it' in page


def test_without_results_there_is_no_page(tmp_path):
    with pytest.raises(ValueError, match='no results of a test split'):
        write_report([], tmp_path)


def test_the_page_in_the_documentation_is_that_of_the_results(tmp_path):
    runs = results.read(), tmp_path, results.read(results.BEFORE), small.read_runs(small.PATH)
    page = write_report(*runs)[0].read_text()
    assert page == (ROOT / 'docs' / 'results.md').read_text()
