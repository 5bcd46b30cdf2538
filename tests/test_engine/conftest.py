"""Runners of tiny but real runs."""

import pytest
import torch
from mmengine.optim import AmpOptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper
from mmengine.runner import Runner

from .toy import toy_config


@pytest.fixture
def make_runner(tmp_path, monkeypatch):
    """Build the runner of :func:`toy_config` in a folder below ``tmp_path``."""
    # MMEngine lays out the config's text anew for every checkpoint: most of a tiny run's time.
    for module in ('mmengine.config.config', 'yapf.yapflib.yapf_api'):
        monkeypatch.setattr(f'{module}.FormatCode', lambda text, **_: (text, True), raising=False)

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
