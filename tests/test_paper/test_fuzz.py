"""Mistaken configs of the published form: only documented errors, and they name what is wrong."""

from copy import deepcopy

import pytest
import torch
from faults.fuzz import changed, check, fuzz
from faults.test_fuzz import AUGMENTER
from hypothesis import given

from tst_mm.paper import FlippedObjective, PaperAugmenter

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

PAPER = {**AUGMENTER, 'temperature': 0.1, 'sharing': 'sample', 'sign': 'random', 'clamp': False}


@fuzz(10)
@given(changed(PAPER))
def test_paper_augmenter(case):
    config, words = case
    augmenter = check(
        lambda: PaperAugmenter(**{'preset': 'recommended', **config}), words=[*words, 'no rate of']
    )
    if augmenter is not None:
        images, _ = augmenter(torch.zeros(2, 3, 8, 8), relaxed=True)
        assert images.isfinite().all()


OBJECTIVE = {'form': 'flipped', 'teacher_weight': 1.0, 'student_weight': 1, 'cap': 10.0}


@fuzz(8)
@given(changed(OBJECTIVE))
def test_objective(case):
    config, words = case
    check(lambda: FlippedObjective(**config), words=words)


def test_the_unchanged_inputs_are_accepted():
    """So that what is refused is refused for its change."""
    PaperAugmenter(preset='recommended', **deepcopy(PAPER))
    FlippedObjective(**OBJECTIVE)
