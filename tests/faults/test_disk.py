"""Full disks, folders that cannot be written, files cut short: a message, and nothing is lost."""

import os
import shutil

import pytest

from tst_mm.utils.checkpoints import read_checkpoint

from .fault import Fault
from .harness import assert_same_outcome

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(600)]

TASK = 'classification'


def last_checkpoint(run):
    """The file that a resume goes on from, whole."""
    path = run.work / (run.work / 'last_checkpoint').read_text().rsplit('/', 1)[1]
    read_checkpoint(path)
    return path


@pytest.mark.parametrize(('event', 'count'), [('student', 10), ('augmenter', 4)])
def test_full_disk(make_run, whole, event, count):
    _, expected, _ = whole(TASK)
    run = make_run(TASK)
    assert run.train(fault=Fault(event, count, 'fill')) == 1, run.output[-3000:]
    assert 'File too large' in run.error
    assert str(last_checkpoint(run)) in run.error
    assert [path.name for path in run.work.iterdir() if path.name.endswith('.tmp')] == []
    assert run.train('--resume') == 0, run.output[-3000:]
    assert_same_outcome(run, expected)


def test_folder_goes_away(make_run, whole):
    """A file in the place of the work folder stops writing for every user, root too."""
    _, expected, _ = whole(TASK)
    run = make_run(TASK)
    assert run.train(fault=Fault('student', 7, 'move')) == 1, run.output[-3000:]
    assert 'Not a directory' in run.error and str(run.work) in run.error
    run.work.unlink()
    (run.folder / 'moved').rename(run.work)
    last_checkpoint(run)
    assert run.train('--resume') == 0, run.output[-3000:]
    assert_same_outcome(run, expected)


def test_work_folder_is_a_file(make_run):
    run = make_run(TASK)
    run.work.write_text('in the way')
    assert run.train() == 1
    assert str(run.work) in run.error
    assert run.work.read_text() == 'in the way'


def test_files_cut_short(make_run, whole):
    """The checkpoint before is named, and resumes to the same end; leftovers are ignored."""
    _, expected, _ = whole(TASK)
    run = make_run(TASK)
    assert run.train(fault=Fault('student', 11)) == -9
    last = last_checkpoint(run)
    assert last.name == 'augmenter_stage2_iter3.pth'
    content = last.read_bytes()
    for kept in (len(content) * 2 // 3, 0, None):
        if kept is None:
            last.unlink()
        else:
            last.write_bytes(content[:kept])
        assert run.train('--resume') == 1
        assert str(last) in run.error and f'--resume {run.work / "epoch_2.pth"}' in run.error
        assert ('not there' if kept is None else 'cut short') in run.error
    (run.work / '.policy.json.tmp').write_text('{"version": 1, "opera')
    os.truncate(run.work / 'policy.json', 100)
    assert run.train('--resume', run.work / 'epoch_2.pth') == 0, run.output[-3000:]
    assert not (run.work / '.policy.json.tmp').exists()
    assert_same_outcome(run, expected)


def test_policy_cut_short(make_run, whole):
    done, _, _ = whole(TASK)
    path = done.folder / 'cut.json'
    shutil.copy(done.work / 'policy.json', path)
    os.truncate(path, 100)
    run = make_run(TASK, **{'model.augmenter.init': str(path)})
    assert run.train() == 1
    assert f'policy file {path} is not JSON' in run.error
