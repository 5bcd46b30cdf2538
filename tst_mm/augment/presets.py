"""Presets of the augmenter: the recommended form, and what the paper's code does."""

from __future__ import annotations

from typing import Any

from .operators import DEFAULT_OPERATORS, FITTED_OPERATORS

#: What ``operators`` may name instead of listing.
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
#: Arguments of :class:`LearnedAugmenter` by preset.
PRESETS = {
    'recommended': _RECOMMENDED,
    'paper': _PAPER,
    'paper_dense': {**_PAPER, 'composition': 'summed'},
}
#: Arguments of operators by preset, where neither ``operators`` nor ``ranges`` says otherwise.
PRESET_RANGES: dict[str, dict[str, Any]] = {
    'recommended': {},
    'paper': {'Cutout': {'limit': 1.0}},
    'paper_dense': {'Cutout': {'pixels': 128}},
}
#: What those arguments that are words may be.
CHOICES = {
    'sharing': ('sample', 'batch'),
    'gate': ('hard', 'relaxed'),
    'squashing': ('single', 'double'),
    'sign': ('random', 'positive'),
    'composition': ('sequence', 'residual', 'summed'),
    'coordinates': ('pixel', 'normalised'),
}
