"""Old spellings of configs, understood for one more release with a word on what to write now.

The switches of the published form were arguments of ``LearnedAugmenter`` once, and its flipped
losses were ``TeachingObjective``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from tst_mm.utils.errors import reject_unknown_keys, require_mapping

_AUGMENTERS = ('LearnedAugmenter', 'tst_mm.LearnedAugmenter')
_OBJECTIVES = (None, 'TeachingObjective', 'tst_mm.TeachingObjective')
_PAPER_AUGMENTERS = ('PaperAugmenter', 'tst_mm.PaperAugmenter')
#: The arguments that ``LearnedAugmenter`` had.
SWITCHES = (
    'preset',
    'squashing',
    'composition',
    'coordinates',
    'clamp',
    'gate',
    'sharing',
    'sign',
    'temperature',
)
#: The sets of operators that ``LearnedAugmenter`` had.
_OPERATORS = ('closed_form', 'fitted')
#: The arguments that ``AlternatingScheduleHook`` had, and below those that it has.
_SEARCH = ('optim_wrapper', 'plateau')
_SCHEDULE = ('stages', 'by_epoch', 'search', 'dataloader', 'interval', 'checkpoint_interval')
#: The arguments that ``TeachingObjective`` had.
_FLIPPED = ('form', 'cap', 'boxes', 'averaging', 'preset')


def current_augmenter(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give an augmenter's config as it is written now, with a warning where that is different."""
    old = [key for key in SWITCHES if key in config]
    if config.get('operators') in _OPERATORS:
        old.append('operators')
    if config.get('type') not in _AUGMENTERS or not old:
        return config
    # Switches that were not given had the values of the recommended form.
    new = {**config, 'type': 'tst_mm.PaperAugmenter'}
    new.setdefault('preset', 'recommended')
    _warn('augmenter', old, config, new)
    return new


def current_objective(config: Mapping[str, Any], augmenter: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give an objective's config as it is written now, beside an augmenter's current one."""
    old = [key for key in _FLIPPED if key in config]
    gradient = augmenter.get('type') in _PAPER_AUGMENTERS and bool(config)
    if config.get('type') not in _OBJECTIVES or not (old or gradient):
        return config
    new = {**config, 'type': 'tst_mm.FlippedObjective'}
    _warn('objective', old or ['type'], config, new)
    return new


def current_search(search: Mapping[str, Any] | None, old: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the config of a schedule's search; ``old`` are arguments that the hook had.

    Raises:
        KeyError: An argument never existed, or old ones are given beside a search.
        TypeError: ``search`` is no dictionary.
    """
    reject_unknown_keys('AlternatingScheduleHook', old, (*_SEARCH, *_SCHEDULE))
    given = {key: value for key, value in old.items() if key in _SEARCH}
    if search is not None:
        require_mapping('search', search)
    if not given:
        return {'type': 'tst_mm.MeasuringSearch', **(search or {})}
    new = {'type': 'tst_mm.GradientSearch', **given}
    if search is not None:
        raise KeyError(
            f'AlternatingScheduleHook has search and {sorted(given)}; allowed: search=dict({new})'
        )
    return new


def search_in_place_of(old: Mapping[str, Any], trained: bool) -> Mapping[str, Any]:
    """Give the config of the search that old arguments of the hook mean, with a warning.

    Args:
        old: The old arguments of the hook.
        trained: Whether the policy has gradients; a policy that is set needs no optimiser.
    """
    new = current_search(None, old if trained else {})
    _warn('search', list(old), {'type': 'AlternatingScheduleHook'}, new)
    return new


def explain_switches(given: Iterable[str]) -> str:
    """Say what to write instead of switches that ``LearnedAugmenter`` had; '' without any."""
    words = ', '.join(f'{key}=…' for key in given if key in SWITCHES)
    if not words:
        return ''
    return (
        f'LearnedAugmenter has no switches of the published form ({words}); '
        f"write dict(type='tst_mm.PaperAugmenter', preset='recommended', {words})"
    )


def _warn(where: str, old: list[str], config: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    words = ', '.join(f'{key}={value!r}' for key, value in new.items())
    kind = config.get('type', 'tst_mm.TeachingObjective')
    warnings.warn(
        f'{where}: {", ".join(old)} of {kind} moved to the published form, tst_mm.paper; '
        f'write {where}=dict({words}). The old way goes with the next release.',
        FutureWarning,
        stacklevel=3,
    )
