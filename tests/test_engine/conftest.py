"""Runners of tiny but real runs."""

import pytest
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
