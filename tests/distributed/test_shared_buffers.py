"""Two ranks that validate: plain training, distillation and TST, all with one network."""

from __future__ import annotations

import signal
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from test_engine.test_safety.test_exact_resume_hook import validation
from test_engine.toy import STUDENT, toy_config
from torch import Tensor

from tst_mm.engine.launch import build_runner
from tst_mm.engine.safety import PreemptionHook
from tst_mm.utils.hooks import find_hook
from tst_mm.utils.unwrap import unwrap_model

from .world import run

pytestmark = pytest.mark.distributed


class Watch(Hook):
    """Notes the buffers of a rank when an epoch ends, and those that it validates with."""

    priority = 'HIGHEST'

    def __init__(self, stop: int | None) -> None:
        self.own: dict[str, Tensor] = {}
        self.validated: dict[str, Tensor] = {}
        self.stop = stop

    def after_train_iter(self, runner: Any, batch_idx: int, *_: Any, **__: Any) -> None:
        self.own = _buffers(runner)
        if runner.iter + 1 == self.stop:  # as at a SIGTERM of all ranks
            find_hook(runner, PreemptionHook)._told = signal.SIGTERM

    def after_val_iter(self, runner: Any, batch_idx: int, *_: Any, **__: Any) -> None:
        self.validated = _buffers(runner)


def _buffers(runner: Any) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in unwrap_model(runner).named_buffers()}


def train(
    folder: str, kind: str, loop: str = 'epoch', ema: bool = False, stop: int | None = None
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """One rank; returns its own buffers, those that it validated with, and those at the end."""
    hook = {'stages': [{'begin': 1, 'iters': 2}] if kind == 'tst' else []}
    length = 2 if loop == 'epoch' else 8
    config = toy_config(folder, hook, loop, length, launcher='pytorch', **validation())
    config.train_dataloader.batch_size = 4
    config.default_hooks.checkpoint.interval = 1 if loop == 'epoch' else 3
    if loop == 'iter':
        config.train_cfg.val_interval = 4
    if kind != 'tst':
        config.custom_hooks = []
        config.model.augmenter = None
        config.model.pop('batch_mode')
    if kind == 'plain':
        config.model = deepcopy(STUDENT)
    if ema:
        config.custom_hooks.append({'type': 'EMAHook', 'momentum': 0.3, 'update_buffers': True})
    if stop:
        config.default_hooks.preemption = {'type': 'tst_mm.PreemptionHook', 'interval': 1}
    config.resume = Path(folder, 'last_checkpoint').exists()
    with patch.object(Config, 'pretty_text', ''):  # laid out anew for every checkpoint
        runner = build_runner(config, training=True)
        runner.register_hook(watch := Watch(stop))
        try:
            runner.train()
        except SystemExit:
            assert stop
    return watch.own, watch.validated, _buffers(runner)


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    @cache
    def finish(kind: str, loop: str = 'epoch', ema: bool = False) -> tuple[list, Path]:
        folder = tmp_path_factory.mktemp('run')
        return run(train, str(folder), kind, loop, ema), folder

    return finish


@pytest.mark.parametrize('kind', ['plain', 'kd', 'tst'])
def test_ranks_validate_with_the_mean_of_their_statistics(finished, kind):
    (one, other), folder = finished(kind)
    saved = torch.load(folder / 'epoch_2.pth', weights_only=False)['state_dict']
    names = [name for name in one[0] if name.endswith(('running_mean', 'running_var'))]
    assert names
    for name in names:
        assert not torch.equal(one[0][name], other[0][name])
        mean = (one[0][name].double() + other[0][name].double()) / 2
        torch.testing.assert_close(one[1][name], mean.to(one[1][name]), rtol=0, atol=0)
        assert torch.equal(one[1][name], other[1][name])
        assert torch.equal(one[1][name], saved[name])
    for name in one[0].keys() - names:
        assert torch.equal(one[1][name], other[1][name])


@pytest.mark.parametrize(('loop', 'ema'), [('epoch', False), ('iter', False), ('epoch', True)])
@pytest.mark.parametrize('stop', [3, 6])
def test_interrupted_anywhere_is_as_never_interrupted(tmp_path, finished, loop, ema, stop):
    """Also where the ranks would not have shared anything."""
    whole, _ = finished('kd', loop, ema)
    run(train, str(tmp_path), 'kd', loop, ema, stop)
    assert (tmp_path / 'interrupted.pth').exists()
    resumed = run(train, str(tmp_path), 'kd', loop, ema)
    for rank in (0, 1):
        for part in (1, 2):
            torch.testing.assert_close(resumed[rank][part], whole[rank][part], rtol=0, atol=0)


def test_means_are_kept_by_sharing_again():
    """Three ranks, where a mean in single precision would not be."""
    shared = run(share_twice, ranks=3)
    for twice, once in shared:
        assert torch.equal(twice['0.running_mean'], once['0.running_mean'])
        assert torch.equal(once['0.running_mean'], shared[0][0]['0.running_mean'])
        assert once['0.num_batches_tracked'] == 5  # of rank 0
        assert torch.equal(once['1.queue'], shared[0][0]['1.queue'])


def share_twice() -> list[dict[str, Tensor]]:
    from tst_mm.engine.safety.shared_buffers import share_buffers

    torch.manual_seed(get_rank())
    holder = torch.nn.Module()
    holder.register_buffer('queue', torch.rand(7))
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(1000), holder)
    model[0].running_mean.normal_()
    model[0].num_batches_tracked += 5 + get_rank()
    states = []
    for _ in range(2):
        share_buffers(model)
        states.append({name: value.clone() for name, value in model.named_buffers()})
    return states[::-1]
