"""Draws and images are those that LearnedAugmenter made when it had the switches.

``as_before.json`` was written by that code, at commit bcf6d5f.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tst_mm.augment import Normalization
from tst_mm.registry import MODELS

STORED = json.loads(Path(__file__).with_name('as_before.json').read_text())
SIZES = [(24, 32), (20, 32), (16, 16)]


def outcome(config: dict[str, Any]) -> dict[str, list[float]]:
    """Numbers of two student draws and a relaxed one, of consecutive random numbers."""
    torch.manual_seed(3)
    augmenter = MODELS.build(config)
    augmenter.normalization = Normalization((120.0, 110.0, 100.0), (60.0, 59.0, 58.0), 'rgb')
    with torch.no_grad():
        for parameter in augmenter.policy.parameters():
            parameter += torch.linspace(-1, 1, len(parameter))
    x, y = torch.arange(32.0), torch.arange(24.0)[:, None]
    waves = [torch.sin(x / (3 + i) + y / (5 + j)) * 1.5 for i in range(3) for j in range(3)]
    inputs = torch.stack(waves).view(3, 3, 24, 32)
    augmenter.reseed(1, 2)
    numbers: dict[str, list[float]] = {'gates': [], 'levels': [], 'matrix': [], 'pixels': []}
    for relaxed in (False, True, False):
        images, draw = augmenter(inputs, SIZES, relaxed=relaxed)
        numbers['gates'] += draw.gates.flatten().tolist()
        numbers['levels'] += draw.levels.flatten().tolist()
        numbers['matrix'] += draw.matrix[:, :2].flatten().tolist()
        numbers['pixels'] += images.flatten()[::97].tolist()
        if relaxed:
            weights = torch.linspace(-1, 1, images.numel()).view_as(images)
            (images * weights).sum().backward()
            for parameter in augmenter.policy.parameters():
                numbers.setdefault('gradients', []).extend(parameter.grad.tolist())
    return {key: [float(f'{value:.6g}') for value in values] for key, values in numbers.items()}


@pytest.mark.parametrize('case', range(len(STORED)), ids=lambda i: str(STORED[i]['switches']))
def test_draws_and_images_are_as_before(case):
    stored = STORED[case]
    config = {'type': 'tst_mm.PaperAugmenter', 'preset': 'recommended', **stored['switches']}
    found = outcome(config)
    assert found.keys() == stored['numbers'].keys()
    for key, values in found.items():
        expected = torch.tensor(stored['numbers'][key])
        torch.testing.assert_close(torch.tensor(values), expected, rtol=1e-3, atol=2e-3)
    assert found['gates'] == pytest.approx(stored['numbers']['gates'], abs=1e-4)
