"""Policy files with a history, as a gradient search and a measuring one leave them."""

import pytest
from test_engine.conftest import make_runner  # noqa: F401  (a fixture)

from tst_mm.augment import LearnedAugmenter


def entry(stage: int, step: int, iteration: int, rate: float, gap: float) -> dict:
    """One entry of the history with the same rate for every operator."""
    return {
        'stage': stage,
        'step': step,
        'iter': iteration,
        'lr': 0.01,
        'loss': 1.0,
        'teacher_confidence': 0.5 + gap / 2,
        'student_confidence': 0.5 - gap / 2,
        'rates': [rate] * 14,
        'magnitudes': [1 - rate] * 14,
    }


def make_policy() -> dict:
    """Two stages: 20 steps after 100 iterations, 10 steps after 300."""
    augmenter = LearnedAugmenter(init={'rate': 0.8, 'magnitude': {'Rotate': 0.25}})
    history = [
        entry(0, 10, 100, 0.6, 0.1),
        entry(0, 20, 100, 0.7, 0.2),
        entry(1, 10, 300, 0.8, 0.4),
    ]
    return {**augmenter.policy.to_dict(), 'history': history}


def make_measured() -> dict:
    """Two stages of a measuring search, and an amount that falls, then rises to the release.

    Rotate is worth teaching, Invert is not, Cutout was never drawn, the rest is unknown.
    """
    augmenter = LearnedAugmenter()
    policy = augmenter.policy.to_dict()
    names = [operator['name'] for operator in policy['operators']]
    effects, errors = dict.fromkeys(names, 0.01), dict.fromkeys(names, 0.1)
    effects |= {'Rotate': -0.5, 'Invert': 0.4, 'Cutout': 0.0}
    errors['Cutout'] = None
    history = []
    for stage, iteration, scale in ((0, 100, 2.0), (1, 300, 1.0)):
        same = entry(stage, 6, iteration, 0.5, 0.0)
        for key in ('lr', 'teacher_confidence', 'student_confidence'):
            del same[key]
        wider = [None if error is None else scale * error for error in errors.values()]
        same |= {'effects': [scale * effect for effect in effects.values()], 'effect_errors': wider}
        same |= {'slopes': [0.0] * 14, 'slope_errors': wider}
        history.append(same)
    for operator in policy['operators']:
        name = operator['name']
        operator |= {'effect': effects[name], 'effect_error': errors[name]}
        operator |= {'slope': 0.0, 'slope_error': errors[name]}
    fractions = [1.0, 0.6, 0.2, 0.6, 1.0]
    amount = [
        {'iter': 20 * (i + 1), 'fraction': f, 'seen': 1.0, 'unseen': 2.0, 'gap': 0.5}
        for i, f in enumerate(fractions)
    ]
    return {**policy, 'history': history, 'amount': amount}


@pytest.fixture
def measured() -> dict:
    """See :func:`make_measured`."""
    return make_measured()


@pytest.fixture
def policy() -> dict:
    """See :func:`make_policy`."""
    return make_policy()
