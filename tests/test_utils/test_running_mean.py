"""Means over steps."""

import torch

from tst_mm.utils.running_mean import RunningMean


def test_mean_and_restart():
    mean = RunningMean()
    for value in (1.0, 2.0, 6.0):
        mean.add({'a': torch.tensor(value), 'b': torch.tensor(-value)})
    assert mean.read() == {'a': 3.0, 'b': -3.0}
    assert mean.read() == {}
    mean.add({'a': torch.tensor(5.0)})
    assert mean.read() == {'a': 5.0}


def test_state_continues():
    first, second = RunningMean(), RunningMean()
    first.add({'a': torch.tensor(1.0)})
    second.load_state_dict(first.state_dict())
    second.add({'a': torch.tensor(2.0)})
    assert second.read() == {'a': 1.5}
    assert first.read() == {'a': 1.0}
