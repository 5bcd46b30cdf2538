"""Whole runs of two ranks: stages between the student's steps, and resuming inside them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from test_engine.toy import toy_config
from torch import Tensor

from tst_mm.engine.schedule import AlternatingScheduleHook
from tst_mm.models.distillers.base import BaseDistiller
from tst_mm.utils.unwrap import unwrap_model

from .world import run

pytestmark = pytest.mark.distributed

STAGES = {
    'epoch': [{'begin': 1, 'iters': 6}, {'begin': 2, 'length': 1}],
    'iter': [{'begin': 3, 'length': 6}, {'begin': 5, 'length': 4}],
}
LENGTH = {'epoch': 3, 'iter': 7}
#: Two ranks take 15 each, one image twice, in batches of 4, 4, 4 and 3.
IMAGES, BATCH = 29, 4


class Killed(BaseException):
    """The end of a process without any chance to save."""


class Watch:
    """Notes what the steps of a rank drew, and on how many images; or kills it."""

    def __init__(self, model: BaseDistiller, kill: tuple[str, int] | None) -> None:
        self.gates: list[Tensor] = []
        self.sizes: list[int] = []
        self.calls = {'score': 0, 'forward': 0}
        self.kill = kill
        draw = model.augmenter.draw

        def noted(*args: Any, **kwargs: Any) -> Any:
            drawn = draw(*args, **kwargs)
            self.gates.append(drawn.gates.detach())
            self.sizes.append(len(drawn))
            return drawn

        model.augmenter.draw = noted
        for method in self.calls:
            setattr(model, method, self._counted(method, getattr(model, method)))

    def _counted(self, method: str, original: Any) -> Any:
        def step(*args: Any, **kwargs: Any) -> Any:
            self.calls[method] += 1
            if (method, self.calls[method]) == self.kill:
                raise Killed
            return original(*args, **kwargs)

        return step


def train(
    folder: str, loop: str, kill: tuple[str, int] | None = None, resume: bool = False
) -> dict[str, Any]:
    """One rank of a run; None as ``kill`` lets it end."""
    hook = {'stages': STAGES[loop], 'interval': 4, 'checkpoint_interval': 2}
    config = toy_config(folder, hook, loop, LENGTH[loop], launcher='pytorch', resume=resume)
    config.train_dataloader.batch_size = BATCH
    config.train_dataloader.dataset.indices = IMAGES
    if loop == 'epoch':
        config.val_dataloader = {**config.train_dataloader, 'batch_size': 20}
        config.val_dataloader['dataset'] = {**config.train_dataloader.dataset, 'split': 'test'}
        config.val_cfg, config.val_evaluator = {}, {'type': 'mmpretrain.Accuracy'}
    # MMEngine lays out the config's text anew for every checkpoint; stages this short know little.
    known = patch.object(import_module('tst_mm.search.tilt'), 'KNOWN', 0.1)
    with patch.object(Config, 'pretty_text', ''), known:
        runner = Runner.from_cfg(config)
        model = unwrap_model(runner)
        watch = Watch(model, kill)
        try:
            runner.train()
        except Killed:
            assert kill
    momenta = runner.optim_wrapper.optimizer.state_dict()['state']
    hub = runner.message_hub.log_scalars
    search = next(h for h in runner.hooks if isinstance(h, AlternatingScheduleHook)).search
    return {
        'weights': {name: value.detach() for name, value in model.named_parameters()},
        'policy': [value.detach() for value in model.augmenter.policy.parameters()],
        'evidence': search.state_dict()['sums'],
        'scales': search.state_dict()['scales'],
        'momentum': [state['momentum_buffer'] for state in momenta.values()],
        'buffers': dict(model.student.named_buffers()),
        'log': {
            name: torch.tensor(np.asarray(hub[name].data[0]))
            for name in ('train/loss', 'train/lr', 'augmenter/loss', 'val/accuracy/top1')
            if name in hub
        },
        'gates': watch.gates,
        'sizes': watch.sizes,
    }


@pytest.fixture(scope='module')
def whole_run(tmp_path_factory) -> Callable[[str], tuple[list[dict[str, Any]], str]]:
    """Both ranks of a run that is never interrupted, and its ``policy.json``."""

    @cache
    def finish(loop: str) -> tuple[list[dict[str, Any]], str]:
        folder = tmp_path_factory.mktemp(loop)
        return run(train, str(folder), loop), (folder / 'policy.json').read_text()

    return finish


def assert_equal(found: Any, expected: Any) -> None:
    """Bit for bit."""
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize('loop', ['epoch', 'iter'])
def test_ranks_stay_identical_over_stages(whole_run, loop):
    first, second = whole_run(loop)[0]
    for part in ('weights', 'policy', 'evidence', 'scales', 'momentum'):
        assert_equal(second[part], first[part])
    assert not any(torch.equal(policy, torch.zeros_like(policy)) for policy in first['policy'])


@pytest.mark.parametrize('loop', ['epoch', 'iter'])
def test_ranks_draw_differently(whole_run, loop):
    first, second = whole_run(loop)[0]
    assert first['sizes'] == second['sizes']
    pairs = list(zip(first['gates'], second['gates'], strict=True))
    assert len(pairs) == {'epoch': 3 * 4 + 6 + 4, 'iter': 7 + 6 + 4}[loop]
    assert not any(torch.equal(*pair) for pair in pairs)


@pytest.mark.parametrize('loop', ['epoch', 'iter'])
def test_the_last_batch_is_smaller(whole_run, loop):
    """The student's batches are split, half of them augmented."""
    sizes = whole_run(loop)[0][0]['sizes']
    stages = [16, 16, 16, 12, 16, 16], [16, 16, 16, 12]  # each image is drawn four times
    epoch = [2, 2, 2, 2]  # of the last three images two are augmented
    if loop == 'epoch':
        assert sizes == [*epoch, *stages[0], *epoch, *stages[1], *epoch]
    else:
        assert sizes == [2, 2, 2, *stages[0], 2, 2, *stages[1], 2, 2]


@pytest.mark.parametrize(
    ('loop', 'kill'),
    [
        ('epoch', ('score', 4)),  # in the first stage, between two lines of the log
        ('epoch', ('forward', 7)),  # in an epoch; another stage follows
        ('iter', ('score', 10)),  # in the second stage
    ],
)
def test_killed_and_resumed_is_as_never_killed(tmp_path, whole_run, loop, kill):
    run(train, str(tmp_path), loop, kill)
    resumed = run(train, str(tmp_path), loop, None, True)
    whole, policy = whole_run(loop)
    for rank in (0, 1):
        for part in ('weights', 'policy', 'evidence', 'scales', 'momentum'):
            assert_equal(resumed[rank][part], whole[rank][part])
    # The logs are those of rank 0. So are statistics of norm layers, wherever they are read.
    for part in ('log', 'buffers'):
        assert_equal(resumed[0][part], whole[0][part])
    assert Path(tmp_path, 'policy.json').read_text() == policy
