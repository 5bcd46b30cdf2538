"""Runners of tiny but real runs."""

import pytest
import torch
from mmengine.optim import AmpOptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper
from mmengine.runner import Runner

from .toy import toy_config


@pytest.fixture
def make_runner(tmp_path):
    """Build the runner of :func:`toy_config` in a folder below ``tmp_path``."""

    def make(name, hook, **changes) -> Runner:
        config = toy_config(tmp_path / name, hook, **changes)
        # Runners of one process share their logger and message hub by name.
        config.experiment_name = f'{tmp_path.name}_{name}_{make.count}'
        make.count += 1
        return Runner.from_cfg(config)

    make.count = 0
    return make


@pytest.fixture
def amp(monkeypatch):
    """Make an ``AmpOptimWrapper`` over parameters, with a scaler for the CPU.

    MMEngine's insists on a GPU and its scaler works on one only: here it is told that there is one.
    """
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available', lambda: True)

    def make(parameters, scale=2.0**10, dtype='bfloat16', lr=1e-3):
        wrapper = AmpOptimWrapper(dtype=dtype, optimizer=torch.optim.SGD(parameters, lr=lr))
        wrapper.loss_scaler = torch.amp.GradScaler('cpu', init_scale=scale)
        return wrapper

    return make
