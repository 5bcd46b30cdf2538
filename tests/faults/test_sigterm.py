"""A run that is told to go (SIGTERM) saves and exits with 143; resumed it ends as if it had not."""

import pytest
import torch

from .fault import Fault
from .harness import assert_same_outcome

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ('task', 'event', 'count', 'act'),
    [
        ('classification', 'student', 6, 'terminate'),  # inside an epoch
        ('classification', 'augmenter', 4, 'terminate'),
        # As cluster schedulers do: the workers of the loader are told as well.
        ('segmentation_workers', 'student', 4, 'terminate all'),
        ('segmentation_workers', 'augmenter', 6, 'terminate all'),
    ],
)
def test_sigterm(make_run, whole, task, event, count, act):
    _, expected, _ = whole(task)
    run = make_run(task)
    assert run.train(fault=Fault(event, count, act)) == 143, run.output[-3000:]
    saved = (run.work / 'last_checkpoint').read_text()
    assert saved == str(run.work / 'interrupted.pth')
    student = torch.load(run.work / 'student_interrupted.pth', weights_only=True)['state_dict']
    assert len(student) > 10
    assert run.train('--resume') == 0, run.output[-3000:]
    assert_same_outcome(run, expected)
