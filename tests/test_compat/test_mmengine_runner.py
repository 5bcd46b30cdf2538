"""What the patches of a run count on: MMEngine's loops and runner call what is replaced."""

import inspect
from types import SimpleNamespace

import pytest
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from tst_mm.compat.mmengine_runner import number_batches_from, wrap_saving


class Loop(EpochBasedTrainLoop):
    """Without a runner's weight."""

    def __init__(self, count):
        self.seen = []
        self.dataloader = range(count)
        self._runner = SimpleNamespace(
            call_hook=lambda *_, **__: None, model=SimpleNamespace(train=lambda: None)
        )
        self._epoch = 0

    def run_iter(self, idx, data_batch):
        self.seen.append((idx, data_batch))


@pytest.mark.parametrize('first', [0, 3])
def test_an_epoch_calls_run_iter_with_the_number(first):
    loop = Loop(2)
    number_batches_from(loop, 7)
    number_batches_from(loop, first)
    loop.run_epoch()
    assert loop.seen == [(first, 0), (first + 1, 1)]
    number_batches_from(loop, 0)
    assert 'run_iter' not in vars(loop)


def test_saving_is_wrapped_once():
    calls = []
    runner = SimpleNamespace()

    class Saves:
        def save_checkpoint(self, name):
            calls.append(name)

    runner = Saves()
    for _ in range(2):
        wrap_saving(runner, lambda save: lambda name: save(f'[{name}]'))
    runner.save_checkpoint('a')
    assert calls == ['[a]']


def test_checkpoints_are_saved_through_the_runner():
    """By ``CheckpointHook``, the last ones and the best; on all ranks."""
    source = inspect.getsource(CheckpointHook)
    assert source.count('runner.save_checkpoint(') >= 2
    parameters = list(inspect.signature(Runner.save_checkpoint).parameters)
    assert parameters[:3] == ['self', 'out_dir', 'filename']


def test_the_iterator_of_iterations_is_an_attribute():
    """It is made when the loop is built, and read anew where the loop runs."""
    assert 'self.dataloader_iterator = ' in inspect.getsource(IterBasedTrainLoop.__init__)
    assert 'next(self.dataloader_iterator)' in inspect.getsource(IterBasedTrainLoop.run)
