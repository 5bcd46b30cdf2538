"""Learned policies side by side: a table and a figure.

    python tools/compare_policies.py ours=RUN/policy.json theirs=OTHER/policy.json --out out.png

Several files may have one name, for example the seeds of one config; the figure then shows each,
the table their mean.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from tst_mm.utils.cli import one_line_errors
from tst_mm.visualization.figure import GREY, PALETTE, WIDTH, save_figure, styled

#: Rates or magnitudes of one run by operator; an operator without learned magnitude has none.
Values = Mapping[str, float]


def main(argv: list[str] | None = None) -> None:
    """Compare.

    Args:
        argv: Command line; the process's own by default.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('policies', nargs='+', metavar='NAME=FILE')
    parser.add_argument('--out', type=Path, default=Path('policies.png'), help='figure')
    args = parser.parse_args(argv)
    with one_line_errors():
        found: dict[str, list[dict[str, Values]]] = {}
        for entry in args.policies:
            name, mark, path = entry.partition('=')
            if not mark:
                raise ValueError(f'{entry!r} is no policy; allowed: NAME=FILE')
            found.setdefault(name, []).append(_read(Path(path)))
        print(table(found))
        print(f'figure: {save_figure(plot(found), args.out)}')


def table(found: Mapping[str, Sequence[Mapping[str, Values]]]) -> str:
    """Mean rate and magnitude of each operator, in Markdown."""
    heads = [f'{name}: {what}' for name in found for what in ('rate', 'magnitude')]
    lines = ['| operator | ' + ' | '.join(heads) + ' |', '|---' + '|---:' * len(heads) + '|']
    for operator in _operators(found):
        cells = []
        for runs in found.values():
            for what in ('rate', 'magnitude'):
                values = [run[what][operator] for run in runs if operator in run[what]]
                cells.append(f'{sum(values) / len(values):.2f}' if values else '')
        lines.append(f'| {operator} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


@styled()
def plot(found: Mapping[str, Sequence[Mapping[str, Values]]]) -> Figure:
    """One row an operator, one panel each for rates and magnitudes, one mark a run."""
    operators = _operators(found)
    figure = Figure(figsize=(WIDTH, 0.26 * len(operators) + 0.9), layout='constrained')
    for axes, what in zip(figure.subplots(1, 2, sharey=True), ('rate', 'magnitude'), strict=True):
        for i, (name, runs) in enumerate(found.items()):
            offset = (i - (len(found) - 1) / 2) * 0.25
            for j, run in enumerate(runs):
                rows = [k for k, operator in enumerate(operators) if operator in run[what]]
                axes.plot(
                    [run[what][operators[k]] for k in rows],
                    [k + offset for k in rows],
                    'o',
                    markersize=4,
                    color=PALETTE[i % len(PALETTE)],
                    label=name if j == 0 else None,
                )
        axes.hlines(range(len(operators)), 0, 1, color=GREY, linewidth=0.3, zorder=0)
        axes.set(xlim=(-0.02, 1.02), xlabel=what)
        axes.set_yticks(range(len(operators)), operators)
    axes.invert_yaxis()
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside upper center', ncols=len(found))
    return figure


def _read(path: Path) -> dict[str, Values]:
    try:
        entries = json.loads(path.read_text())['operators']
        return {
            what: {e['name']: e[what] for e in entries if e[what] is not None}
            for what in ('rate', 'magnitude')
        }
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f'{path} is no policy file: {error!r}') from None


def _operators(found: Mapping[str, Sequence[Mapping[str, Values]]]) -> list[str]:
    """All operators, in the order in which they are met."""
    names = [name for runs in found.values() for run in runs for name in run['rate']]
    return list(dict.fromkeys(names))


if __name__ == '__main__':
    main()
