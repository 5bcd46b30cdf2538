"""Whether a teacher is better than chance."""

import pytest
import torch
from torch import nn

from tst_mm.engine.safety.chance import judge


@pytest.mark.parametrize(
    ('right', 'count', 'verdict'),
    [(0.1, 64, 'not better'), (0.1, 4, 'too few'), (0.6, 64, 'better'), (0.6, 16, 'better')],
)
def test_chance(right, count, verdict):
    labels = torch.arange(count) % 10
    said = torch.where(torch.arange(count) < right * count, labels, (labels + 1) % 10)
    logits = nn.functional.one_hot(said, 10) * 8.0
    assert judge(logits, labels, count)[0] == verdict


def test_ignored_labels_do_not_count():
    labels = torch.tensor([255, 1, 2])
    verdict, words = judge(torch.eye(3) * 20, labels, 300)
    assert verdict == 'better' and 'accuracy 1.000' in words and 'worth 200' in words
    assert judge(torch.eye(3), torch.full((3,), 255), 3)[0] == 'too few'
