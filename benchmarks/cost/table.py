"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tst_mm.experiments import markdown_table

#: Of what ``python -m benchmarks.cost`` writes; 1 had the steps of the search by gradient.
VERSION = 2
_OLD = (
    '**Of an earlier form of the project, commit `{commit}`**: the *augmenter step* is one of the '
    "search by gradient, which is now the paper's alone, the augmenter that of the published form, "
    'and the demo had another schedule. The steps of the measuring search, the default, are not in '
    'this run.'
)


def format_report(result: Mapping[str, Any]) -> str:
    """Everything in a result, targets first.

    Args:
        result: The result as ``python -m benchmarks.cost`` writes it.
    """
    where = result['environment']
    versions = ', '.join(f'{name} {value}' for name, value in where['versions'].items())
    changed = ' with changes' if where['modified'] else ''
    old = [] if result['version'] == VERSION else [_OLD.format(commit=where['commit'])]
    parts = [
        *old,
        f'commit {where["commit"]}{changed}, {where["device"]}, {where["threads"]} threads, '
        f'{where.get("precision", "float32")}, {result["rounds"]} rounds\n{versions}',
        _targets(result['targets']),
    ]
    measured = result['measured']
    if 'augmenter' in measured:
        parts.append(_augmenter(measured['augmenter']))
    if 'steps' in measured:
        parts.append(_steps(measured['steps']))
        parts.append(_memory(measured['steps']))
    if 'growth' in measured:
        parts.append(_growth(measured['growth']))
    return '\n\n'.join(parts)


def format_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs between two results by more than noise.

    Counts differ where they are not equal; ratios of times where the middle halves of their rounds
    do not meet.

    Args:
        old: The older result.
        new: The newer result.
    """
    before = {target['name']: target for target in old['targets']}
    rows = []
    for target in new['targets']:
        known = before.get(target['name'])
        if known is None or not _differ(known, target):
            continue
        better = (target['value'] < known['value']) == (target['kind'] == 'most')
        words = 'better' if better else 'WORSE'
        rows.append((target['name'], _number(known['value']), _number(target['value']), words))
    title = f'beside commit {old["environment"]["commit"]}'
    if not rows:
        return f'{title}: no change beyond noise'
    return f'{title}:\n\n' + markdown_table(('changed', 'before', 'now', ''), rows)


def _differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if not old['spread'] or not new['spread']:
        return old['value'] != new['value']
    return old['spread'][1] < new['spread'][0] or new['spread'][1] < old['spread'][0]


def _targets(targets: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            t['name'],
            _number(t['value']),
            _range(t['spread']),
            ('>= ' if t['kind'] == 'least' else '<= ') + _number(t['bound']),
            'met' if t['met'] else 'MISSED',
            t['floor'],
        )
        for t in targets
    ]
    return markdown_table(('target', 'measured', 'middle half', 'bound', '', 'floor'), rows)


def _augmenter(sizes: Mapping[str, Any]) -> str:
    names = list(next(iter(sizes.values()))['times'])
    rows = [
        (size, *(f'{1000 * case["images"] / case["times"][n]["median_ms"]:,.0f}' for n in names))
        for size, case in sizes.items()
    ]
    return markdown_table(('images a second', *names), rows)


def _steps(cases: Mapping[str, Any]) -> str:
    rows = [
        (
            f'{name} {step}',
            f'{times["median_ms"]:.1f}',
            f'{times["low_ms"]:.1f} to {times["high_ms"]:.1f}',
            f'{case["flops"][f"step/{step}"] / 1e9:.2f}',
            f'{case["flops_over_floor"][step]:.3f}',
        )
        for name, case in cases.items()
        for step, times in case['times'].items()
    ]
    return markdown_table(('step', 'ms', 'middle half', 'GFLOP', 'GFLOP / floor'), rows)


def _memory(cases: Mapping[str, Any]) -> str:
    names = [name for name in next(iter(cases.values()))['memory'] if '/' not in name]
    rows = [
        (case, *(f'{found["memory"][name] / 2**20:.1f}' for name in names))
        for case, found in cases.items()
    ]
    return markdown_table(('peak MiB', *names), rows)


def _growth(growth: Mapping[str, Any]) -> str:
    rows = [
        (name, *(f'{n}: {times["median_ms"]:.1f}' for n, times in series.items()))
        for name, series in growth.items()
    ]
    width = max(map(len, rows))
    filled = [(*row, *[''] * (width - len(row))) for row in rows]
    return markdown_table(('ms by', *[''] * (width - 1)), filled)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f'{value:.3f}'


def _range(spread: Sequence[float] | None) -> str:
    return f'{spread[0]:.3f} to {spread[1]:.3f}' if spread else ''
