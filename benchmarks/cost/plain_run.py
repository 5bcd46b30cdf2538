"""Train a config with MMEngine alone, as MMRazor's own script does."""

from __future__ import annotations

import sys

from mmengine.config import Config
from mmengine.runner import Runner

if __name__ == '__main__':
    config = Config.fromfile(sys.argv[1])
    config.work_dir = sys.argv[3]
    Runner.from_cfg(config).train()
