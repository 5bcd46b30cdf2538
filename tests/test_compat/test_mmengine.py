"""MMEngine loads what it saved, with the safeguard of torch on and nothing behind it."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from tst_mm.compat.mmengine import _written_by_mmengine


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A checkpoint with what MMEngine puts into its message hub."""
    monkeypatch.delenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', raising=False)
    loss = HistoryBuffer([0.5, 0.25], [1, 1])
    loss.update(np.float64(0.125))
    saved = {
        'state_dict': nn.Linear(2, 2).state_dict(),
        'message_hub': {
            'log_scalars': {'train/loss': loss},
            'runtime_info': {'iter': 3, 'accuracy': np.float64(0.75), 'mIoU': np.float32(0.5)},
        },
    }
    path = tmp_path / 'epoch_1.pth'
    torch.save(saved, path)
    return path


def test_own_checkpoint_loads(checkpoint):
    loaded = CheckpointLoader.load_checkpoint(str(checkpoint), 'cpu')
    hub = loaded['message_hub']
    assert hub['runtime_info']['accuracy'] == 0.75
    buffer = hub['log_scalars']['train/loss']
    assert buffer.current() == 0.125
    assert buffer.statistics('mean', 3) == pytest.approx((0.5 + 0.25 + 0.125) / 3)
    load_checkpoint(nn.Linear(2, 2), str(checkpoint), strict=True)


@pytest.fixture
def only_the_list():
    """Nothing but our list is declared safe."""
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(_written_by_mmengine())
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(before)


def test_the_list_is_enough_for_what_mmengine_writes(checkpoint, only_the_list):
    loaded = torch.load(checkpoint, weights_only=True)
    assert loaded['message_hub']['log_scalars']['train/loss'].current() == 0.125


def test_the_list_is_enough_in_a_new_process(checkpoint):
    """Where nothing has been logged yet, as in the tools."""
    code = (
        'import tst_mm; from tst_mm.utils.checkpoints import read_checkpoint; '
        f'print(read_checkpoint({str(checkpoint)!r})["message_hub"]["runtime_info"]["iter"])'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.strip() == '3', done.stderr


class Reach:
    """Reaches for an attribute through the name that the list lets through."""

    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


def test_the_list_lets_no_other_attribute_through(tmp_path, only_the_list):
    torch.save(Reach(), tmp_path / 'bad.pth')
    with pytest.raises(pickle.UnpicklingError, match='is not safe'):
        torch.load(tmp_path / 'bad.pth', weights_only=True)


class Malicious:
    """Deletes nothing: it writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_the_safeguard_stays_on(tmp_path):
    trace = tmp_path / 'trace'
    torch.save({'state_dict': {}, 'x': Malicious(trace)}, tmp_path / 'bad.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'bad.pth', weights_only=True)
    with pytest.raises(pickle.UnpicklingError):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'bad.pth'), 'cpu')
    assert not trace.exists()
