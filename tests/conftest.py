"""What every test starts from: one thread, fixed seeds, nothing left over in MMEngine."""

import os

# Before torch is imported, and for the processes that tests start.
os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('MPLBACKEND', 'Agg')

import random  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402
from mmengine.logging import MessageHub, MMLogger  # noqa: E402
from mmengine.registry import DefaultScope  # noqa: E402
from mmengine.visualization import Visualizer  # noqa: E402
from quick import be_quick  # noqa: E402

if not torch.cuda.is_available():  # kernels are interpreted then; read when Triton is imported
    os.environ.setdefault('TRITON_INTERPRET', '1')

import tst_mm  # noqa: E402, F401  (its mends come before any other library)

torch.set_num_threads(1)
be_quick()
# The same examples on every machine, and no deadline: a busy machine is not a failure.
settings.register_profile('tst_mm', derandomize=True, deadline=None, max_examples=30)
settings.load_profile('tst_mm')


@pytest.fixture(scope='session')
def root() -> Path:
    """The folder of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _same_start() -> Iterator[None]:
    """Seed all generators; afterwards drop MMEngine's global instances."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    yield
    for manager in (DefaultScope, MessageHub, MMLogger, Visualizer):
        manager._instance_dict.clear()
