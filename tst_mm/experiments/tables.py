"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

from .results import Result


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns are as wide as their longest cell.

    Args:
        head: The titles of the columns. The first column is aligned to the left, all others to the
            right.
        rows: The cells, each row as long as ``head``.

    Raises:
        ValueError: A row has another number of cells than the head.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ['-' * widths[0], *('-' * (width - 1) + ':' for width in widths[1:])]
    lines = []
    for first, *others in (head, rule, *rows):
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append('| ' + ' | '.join([first.ljust(widths[0]), *cells]) + ' |')
    return '\n'.join(lines)


def cost_table(
    results: Mapping[str, Sequence[Result]], titles: Mapping[str, str], reference: str, metric: str
) -> str:
    """What several methods reached, and what they cost beside one of them.

    Args:
        results: The results of each method, one for each seed, by the method's name.
        titles: What the table calls each method, by its name.
        reference: The name of the method that costs are relative to.
        metric: The title of the metric's column.

    Returns:
        A Markdown table with a row for each method.
    """
    costs = {
        name: [mean(result.step for result in found), mean(result.total for result in found)]
        for name, found in results.items()
    }
    rows = []
    for name, found in results.items():
        relative = [cost / base for cost, base in zip(costs[name], costs[reference], strict=True)]
        reached = _spread([result.metric for result in found])
        rows.append([titles[name], reached, *(f'{ratio:.2f} x' for ratio in relative)])
    return markdown_table(['', metric, 'a student step', 'all training steps'], rows)


def _spread(values: Sequence[float]) -> str:
    """Write one value as ``'81.3'``, several as ``'81.3 ± 0.4'``."""
    if len(values) == 1:
        return f'{values[0]:.1f}'
    return f'{mean(values):.1f} ± {stdev(values):.1f}'
