"""Reading and checking policy files; the format is in ``docs/policy_format.md``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tst_mm.utils import closest, reject_unknown_keys

#: The version of the format; it is raised by a change that an older reader would misread.
POLICY_VERSION = 2
#: The versions that are read. In version 1 a magnitude is the same for all images.
_VERSIONS = (1, 2)
_SIGNS = ('random', 'positive')
_MAGNITUDES = ('spread', 'fixed')


#: The folder of policies that come with the package, whose names may stand for their paths.
SHIPPED = Path(__file__).with_name('policies')


def read_policy(path: str | Path) -> dict[str, Any]:
    """Read and check a policy file.

    Args:
        path: The path of the file, or the name of a shipped policy.

    Raises:
        FileNotFoundError: There is no such file and no such name.
        ValueError: The file is not JSON, or :func:`check_policy` refuses it; the error names the
            file.
        KeyError: The file has an unknown key where :func:`check_policy` knows all; the error names
            the file.
    """
    shipped = {file.stem: file for file in SHIPPED.glob('*.json')}
    path = Path(path) if Path(path).is_file() else shipped.get(str(path), Path(path))
    if not path.is_file():
        raise FileNotFoundError(
            f'no policy file {str(path)!r} (from {Path.cwd()}), and none of that name is shipped; '
            f'{closest(str(path), shipped)}'
        )
    try:
        data = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'policy file {path} is not JSON, or cut short: {error}') from None
    check_policy(data, f'policy file {path}')
    return data


def check_policy(data: Any, where: str = 'policy') -> None:
    """Check the content of a policy file. Keys that the format does not have are ignored.

    Args:
        data: The content that was read from a file or a config.
        where: The name of the content in errors. Defaults to ``'policy'``.

    Raises:
        KeyError: There is an unknown key in a place where only known ones have an effect.
        ValueError: The version is another one, a value has a wrong type, or a number is out of
            range.
    """
    version = data.get('version') if isinstance(data, Mapping) else None
    if isinstance(version, bool) or version not in _VERSIONS:
        newer = isinstance(version, int) and version > POLICY_VERSION
        hint = ' (it was written by a newer tst_mm: update this one)' if newer else ''
        allowed = ', '.join(map(str, _VERSIONS))
        raise ValueError(f'{where} has version {version!r}; allowed: {allowed}{hint}')
    entries = data.get('operators')
    if not _is_list(entries) or not all(
        isinstance(entry, Mapping) and isinstance(entry.get('name'), str) and 'rate' in entry
        for entry in entries
    ):
        raise ValueError(f'{where} needs a list "operators" of entries with name and rate')
    names = [entry['name'] for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'{where} has operator {name!r} twice; allowed: each name once')
    for entry in entries:
        check_share(f'{where}: rate of {entry["name"]}', entry['rate'])
        if entry.get('magnitude') is not None:
            check_share(f'{where}: magnitude of {entry["name"]}', entry['magnitude'])
        if entry.get('limit') is not None and not _is_number(entry['limit']):
            raise ValueError(
                f'{where}: limit of {entry["name"]} is {entry["limit"]!r}; allowed: a number'
            )
    _check_augmenter(data.get('augmenter', {}), where, len(names))
    _check_history(data.get('history', []), where, len(names))
    if not isinstance(data.get('provenance', {}), Mapping):
        raise ValueError(f'{where}: provenance is {data["provenance"]!r}; allowed: an object')


def magnitudes_of(data: Mapping[str, Any]) -> str:
    """Tell how the magnitudes of a checked policy are to be taken.

    Returns:
        ``'spread'`` where they are the means of densities; ``'fixed'`` where they are the same for
        all images, as in files of version 1.
    """
    if data['version'] == 1:
        return 'fixed'
    return data.get('augmenter', {}).get('magnitudes', 'spread')


def check_share(what: str, value: Any, low: float = 0, high: float = 1) -> None:
    """Raise ``ValueError`` unless ``value`` is a number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f'{what} is {value!r}; allowed: a number in [{low:.4g}, {high:.4g}]')
    if not low <= value <= high:
        raise ValueError(f'{what} is {value!r}; allowed: {low:.4g} to {high:.4g}')


def _check_augmenter(augmenter: Any, where: str, count: int) -> None:
    """Check how the policy was applied: number of operators, signs, magnitudes, fill."""
    if not isinstance(augmenter, Mapping):
        raise ValueError(f'{where}: augmenter is {augmenter!r}; allowed: an object')
    known = ('num_ops', 'sign', 'magnitudes', 'fill')
    reject_unknown_keys(f'augmenter of the {where}', augmenter, known)
    num_ops = augmenter.get('num_ops', 1)
    if type(num_ops) is not int or not 1 <= num_ops <= max(count, 1):
        raise ValueError(f'{where}: num_ops is {num_ops!r}; allowed: 1 to {count} (operators)')
    for key, allowed in (('sign', _SIGNS), ('magnitudes', _MAGNITUDES)):
        value = augmenter.get(key, allowed[0])
        if value not in allowed:
            raise ValueError(f'{where}: {key} is {value!r}; {closest(str(value), allowed)}')
    fill = augmenter.get('fill', [0])
    if not _is_list(fill) or not all(_is_number(v) and 0 <= v <= 255 for v in fill):
        raise ValueError(f'{where}: fill is {fill!r}; allowed: a list of grey values, 0 to 255')


def _check_history(history: Any, where: str, count: int) -> None:
    """Check the rates and magnitudes over training."""
    if not _is_list(history) or not all(isinstance(entry, Mapping) for entry in history):
        raise ValueError(f'{where}: history is {history!r}; allowed: a list of objects')
    for i, entry in enumerate(history):
        for key in ('rates', 'magnitudes'):
            values = entry.get(key)
            if not _is_list(values) or len(values) != count:
                raise ValueError(
                    f'{where}: {key} of history[{i}] are {values!r}; allowed: {count} numbers, '
                    'one an operator'
                )
            for value in values:
                check_share(f'{where}: one of the {key} of history[{i}]', value)
        if type(entry.get('iter')) is not int or entry['iter'] < 0:
            raise ValueError(
                f'{where}: iter of history[{i}] is {entry.get("iter")!r}; allowed: whole numbers '
                'from 0'
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
