"""A training in a child process, and what befalls it; the fork server imports this module.

All heavy imports are here, so that a child starts in a fraction of a second.
"""

import builtins
import gc
import json
import os
import resource
import runpy
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import tst_mm  # noqa: F401  (its mends come before any other library)

# isort: split
import mmdet.datasets
import mmdet.engine
import mmdet.evaluation
import mmdet.models
import mmdet.visualization  # noqa: F401
import mmpretrain.datasets
import mmpretrain.evaluation
import mmpretrain.models  # noqa: F401
import mmseg.datasets
import mmseg.engine
import mmseg.evaluation
import mmseg.models  # noqa: F401
import setuptools  # noqa: F401  (MMEngine's report of the environment imports it)
import torch
import yapf.yapflib.yapf_api as yapf
from mmengine.config import config as mmengine_config
from mmengine.fileio import LocalBackend
from mmengine.hooks import checkpoint_hook
from mmengine.runner import ValLoop

from tst_mm.compat import load_mmrazor
from tst_mm.models.distillers.base import BaseDistiller

from .fault import Fault

load_mmrazor()
# MMEngine collects garbage for every data set; all that is here would be looked through each time.
gc.freeze()


def train(root: str, folder: str, arguments: list[str], fault: Fault | None) -> None:
    """Run ``tools/train.py`` in this process.

    Args:
        root: Folder of the repository.
        folder: Holds ``config.py`` and gets ``work``, the output, and the count of events.
        arguments: Further ones for the tool.
        fault: What happens to it.
    """
    os.setsid()  # a group of its own, with its workers
    with open(f'{folder}/output.txt', 'ab', buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    torch.set_num_threads(1)
    # MMEngine lays out the config's text anew for every checkpoint: most of a tiny run's time.
    for module in (mmengine_config, yapf):
        module.FormatCode = lambda text, **_: (text, True)
    events = _Events(fault, Path(folder))
    _watch(events)
    events.happen('start')
    sys.argv = ['train.py', f'{folder}/config.py', '--work-dir', f'{folder}/work', *arguments]
    try:
        runpy.run_path(f'{root}/tools/train.py', run_name='__main__')
    finally:
        Path(folder, 'events.json').write_text(json.dumps(events.counts))


class _Events:
    """Counts what happens, and lets the fault strike when its time has come."""

    def __init__(self, fault: Fault | None, folder: Path) -> None:
        self.fault = fault
        self.folder = folder
        self.counts: Counter = Counter()
        self.owner = os.getpid()

    def happen(self, event: str) -> bool:
        """Count an event; True where the process dies in the middle of it."""
        if os.getpid() != self.owner:  # a worker of a loader
            return False
        self.counts[event] += 1
        fault = self.fault
        if fault is None or (event, self.counts[event]) != (fault.event, fault.count):
            return False
        if fault.act == 'kill' and event == 'write':
            return True
        if fault.act == 'kill' and fault.delay:
            threading.Timer(fault.delay, die).start()
        elif fault.act == 'kill':
            die()
        elif fault.act == 'terminate':
            os.kill(self.owner, signal.SIGTERM)
        elif fault.act == 'terminate all':
            # From another process: torch's workers look who it was.
            subprocess.run(['kill', '-TERM', '--', f'-{os.getpgrp()}'], check=False)
        elif fault.act == 'fill':
            least = min(path.stat().st_size for path in (self.folder / 'work').glob('epoch_*.pth'))
            resource.setrlimit(resource.RLIMIT_FSIZE, (least // 2, least // 2))
        elif fault.act == 'move':
            (self.folder / 'work').rename(self.folder / 'moved')
            (self.folder / 'work').write_text('in the way')
        else:
            raise ValueError(f'no such act: {fault.act!r}')
        return False


def die() -> None:
    """End this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def _watch(events: _Events) -> None:
    """Put the events into the libraries."""

    def before(owner: type, name: str, event: str) -> None:
        original = getattr(owner, name)

        def watched(*args, **kwargs):
            events.happen(event)
            return original(*args, **kwargs)

        setattr(owner, name, watched)

    def while_writing(owner: type, name: str, data: int, path: int) -> None:
        original = getattr(owner, name)

        def watched(*args, **kwargs):
            if events.happen('write'):
                with open(args[path], 'wb') as file:
                    file.write(args[data][: len(args[data]) // 2])
                die()
            return original(*args, **kwargs)

        setattr(owner, name, watched)

    def opened(path, *args, **kwargs):
        file = builtins.open(path, *args, **kwargs)  # noqa: SIM115
        events.happen('pointer')
        return file

    before(BaseDistiller, 'train_step', 'student')
    before(BaseDistiller, 'score', 'augmenter')
    before(ValLoop, 'run_iter', 'validation')
    before(os, 'replace', 'rename')
    while_writing(LocalBackend, 'put', 1, 2)
    while_writing(Path, 'write_bytes', 1, 0)
    checkpoint_hook.open = opened
