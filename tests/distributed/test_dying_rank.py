"""A rank that is killed ends the whole run of ``tools/dist_train.sh``, which says why."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_engine.toy import toy_config

from .world import free_port

pytestmark = [pytest.mark.distributed, pytest.mark.slow, pytest.mark.faults]

DYING = """
import os
import signal
from pathlib import Path

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class Dying(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if get_rank() == 1:
            Path(runner.work_dir, 'death').touch()
            os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_rank_ends_the_run(root, tmp_path):
    (tmp_path / 'dying.py').write_text(DYING)
    config = toy_config('', {'stages': []}, length=1000)
    config.custom_imports = {'imports': ['dying']}
    config.custom_hooks.append({'type': 'Dying'})
    config.dump(tmp_path / 'config.py')
    environment = {
        **os.environ,
        'PATH': f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}',
        'PYTHONPATH': os.pathsep.join([str(root), str(tmp_path)]),
        'PORT': str(free_port()),
        'CUDA_VISIBLE_DEVICES': '',
    }
    done = subprocess.run(
        [root / 'tools/dist_train.sh', tmp_path / 'config.py', '2', '--work-dir', tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    # torchrun gives the other ranks 30 seconds to end by themselves.
    assert time.time() - (tmp_path / 'death').stat().st_mtime < 45
    assert done.returncode == 1
    cause = done.stderr[done.stderr.index('Root Cause') :]
    assert 'rank      : 1 ' in cause
    assert 'Signal 9 (SIGKILL) received by PID' in cause and 'exitcode  : -9 ' in cause
