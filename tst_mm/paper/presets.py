"""Presets of the augmenter: what the paper's code does, and what to use with a gradient instead."""

from __future__ import annotations

from typing import Any

from tst_mm.augment.operators import DEFAULT_OPERATORS

#: The 14 operators, where those with a learned magnitude are imitated by encoders.
FITTED_OPERATORS = (
    *({'type': 'FittedColor', 'imitates': name} for name in DEFAULT_OPERATORS[:6]),
    *({'type': 'FittedGeometric', 'imitates': name} for name in DEFAULT_OPERATORS[6:11]),
    *DEFAULT_OPERATORS[11:],
)
#: The sets of operators that ``operators`` may name instead of listing them.
OPERATOR_SETS = {'closed_form': DEFAULT_OPERATORS, 'fitted': FITTED_OPERATORS}

_RECOMMENDED: dict[str, Any] = {
    'operators': 'closed_form',
    'sharing': 'sample',
    'gate': 'hard',
    'squashing': 'single',
    'sign': 'random',
    'composition': 'sequence',
    'coordinates': 'pixel',
    'clamp': True,
}
_PAPER: dict[str, Any] = {
    'operators': 'fitted',
    'sharing': 'batch',
    'gate': 'relaxed',
    'squashing': 'double',
    'sign': 'positive',
    'composition': 'residual',
    'coordinates': 'normalised',
    'clamp': False,
}
#: The arguments of :class:`PaperAugmenter` by preset.
PRESETS = {
    'paper': _PAPER,
    'paper_dense': {**_PAPER, 'composition': 'summed'},
    'recommended': _RECOMMENDED,
}
#: The arguments of operators by preset, unless ``operators`` or ``ranges`` says otherwise.
PRESET_RANGES: dict[str, dict[str, Any]] = {
    'paper': {'Cutout': {'limit': 1.0}},
    'paper_dense': {'Cutout': {'pixels': 128}},
    'recommended': {},
}
#: The allowed values of those arguments that are words.
CHOICES = {
    'sharing': ('sample', 'batch'),
    'gate': ('hard', 'relaxed'),
    'squashing': ('single', 'double'),
    'sign': ('random', 'positive'),
    'composition': ('sequence', 'residual', 'summed'),
    'coordinates': ('pixel', 'normalised'),
}
