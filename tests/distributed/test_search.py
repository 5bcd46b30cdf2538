"""The measuring search and the adaptive amount on two ranks."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
import torch
from mmengine.config import Config
from mmengine.dist import get_rank, get_world_size
from mmengine.runner import Runner
from test_engine.test_schedule.test_adaptive_amount_hook import adaptive, amount_of
from test_engine.toy import toy_config
from test_search import planted

from tst_mm.search import MeasuringSearch
from tst_mm.utils.unwrap import unwrap_model

from .draws import take
from .world import run

pytestmark = pytest.mark.distributed

IMAGES, DRAWS, STEPS = 16, 4, 3


def measure() -> dict[str, Any]:
    """A stage in which an image is drawn alike, whoever has it."""
    model = planted.distiller(('FlipX', 'FlipY', 'Grey', 'Rotate'))
    each = IMAGES // get_world_size()
    rows = range(get_rank() * each, (get_rank() + 1) * each)
    index = torch.tensor([d * IMAGES + i for d in range(DRAWS) for i in rows])
    draw = model.augmenter.draw
    model.augmenter.draw = lambda sizes: take(draw([sizes[0]] * IMAGES * DRAWS), index)
    search = MeasuringSearch(draws=DRAWS)
    search.check(model)
    search.begin(model, STEPS, STEPS)
    logged = []
    for step in range(STEPS):
        model.augmenter.reseed(step)
        data = planted.batch(step, IMAGES)
        logged.append(search.step({key: [values[i] for i in rows] for key, values in data.items()}))
    words = search.end()
    state = search.state_dict()
    return {
        'logged': logged,
        'sums': state['sums'],
        'scales': state['scales'],
        'policy': [value.detach() for value in model.augmenter.policy.parameters()],
        'words': words,
    }


def test_two_ranks_find_what_one_process_finds():
    first, second = run(measure)
    [alone] = run(measure, ranks=1)
    for part in ('logged', 'sums', 'scales', 'policy'):
        torch.testing.assert_close(second[part], first[part], rtol=0, atol=0)
    assert first['words'] == second['words']
    for part in ('logged', 'scales', 'policy'):
        torch.testing.assert_close(first[part], alone[part], rtol=1e-5, atol=1e-5)
    for name in ('count', 'freedom', 'xx', 'xy'):
        torch.testing.assert_close(first['sums'][name], alone['sums'][name], rtol=1e-4, atol=1e-4)
    assert float(first['sums']['count']) == IMAGES * DRAWS * STEPS


def train(folder: str, length: int) -> dict[str, Any]:
    """A rank of a run whose amount is adaptive; its looks."""
    changes = adaptive('iter', length)
    config = toy_config(folder, {}, launcher='pytorch', **changes)
    config.train_dataloader.batch_size = 12
    config.default_hooks.checkpoint.interval = 3
    config.custom_hooks[1].release = 1.0
    config.custom_hooks[1].looks = length // 2
    with patch.object(Config, 'pretty_text', ''):
        runner = Runner.from_cfg(config)
        runner.train()
    hook = amount_of(runner)
    return {
        'history': hook.history,
        'fraction': unwrap_model(runner).fraction,
        'held out': hook._slice.indices,
        'weights': {name: value.detach() for name, value in runner.model.named_parameters()},
    }


def test_ranks_have_one_amount(tmp_path):
    first, second = run(train, str(tmp_path / 'whole'), 10)
    for part in ('history', 'fraction', 'held out'):
        assert first[part] == second[part]
    assert len(first['history']) == 4
    assert len({entry['fraction'] for entry in first['history']}) > 1
