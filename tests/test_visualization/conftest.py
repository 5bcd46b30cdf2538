"""A policy file with a history, as a run leaves it."""

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


@pytest.fixture
def policy() -> dict:
    """See :func:`make_policy`."""
    return make_policy()
