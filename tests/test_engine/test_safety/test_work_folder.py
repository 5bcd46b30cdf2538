"""How a run starts in its work folder."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from tst_mm.engine.safety.work_folder import AUTO, decide_start


def checkpoint(path, done=4, end=12, **more):
    """A file as a run would leave it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        'meta': {'iter': done},
        'message_hub': {},
        'state_dict': {'a': torch.ones(3)},
        'tst_mm_resume': {'end': end},
    }
    torch.save({**content, **more}, path)
    return path


def weights(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({'meta': {}, 'state_dict': {'a': torch.ones(3)}}, path)
    return path


def config(folder, **entries):
    return Config({'work_dir': str(folder), **entries})


@pytest.mark.parametrize('resume', [None, AUTO])
@pytest.mark.parametrize('load_from', [None, 'pretrained.pth'])
def test_an_empty_folder_starts_anew_and_keeps_load_from(tmp_path, resume, load_from):
    cfg = config(tmp_path, load_from=load_from, resume=resume is None)
    if resume is None and load_from:
        cfg.resume = False  # with both, MMEngine resumes from load_from
    said = decide_start(cfg, resume)
    assert (cfg.resume, cfg.load_from) == (False, load_from)
    assert 'starts anew' in said and (load_from or '') in said
    assert ('Nothing to resume' in said) == (resume == AUTO or load_from is None)


def test_the_latest_goes_on(tmp_path):
    path = checkpoint(tmp_path / 'epoch_1.pth')
    for cfg, resume in (
        (config(tmp_path, load_from='x.pth'), AUTO),
        (config(tmp_path, resume=True), None),
        (config(tmp_path), str(path)),
        (config(tmp_path, resume=True, load_from=str(path)), None),
    ):
        assert str(path) in decide_start(cfg, resume)
        assert (cfg.resume, cfg.load_from) == (True, str(path))


@pytest.mark.parametrize('moved', [False, True])
def test_checkpoints_elsewhere_are_found(tmp_path, moved):
    work, store = tmp_path / 'work', tmp_path / 'store'
    path = checkpoint(store / 'work' / 'epoch_1.pth')
    work.mkdir()
    written = '/gone/work/epoch_1.pth' if moved else str(path)
    (work / 'last_checkpoint').write_text(written)
    hook = {'type': 'CheckpointHook', 'out_dir': str(store)}
    cfg = config(work, default_hooks={'checkpoint': hook})
    decide_start(cfg, AUTO)
    assert cfg.load_from == str(path)
    with pytest.raises(ValueError, match='holds a started run, at iteration 4 of 12'):
        decide_start(config(work, default_hooks={'checkpoint': hook}))


def test_an_address_is_left_to_mmengine(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('s3://bucket/run/epoch_1.pth')
    cfg = config(tmp_path)
    decide_start(cfg, AUTO)
    assert (cfg.resume, cfg.load_from) == (True, 's3://bucket/run/epoch_1.pth')


@pytest.mark.parametrize(
    ('name', 'done', 'words'),
    [
        ('epoch_1.pth', 4, ['holds a started run, at iteration 4 of 12', '--resume goes on']),
        ('iter_12.pth', 12, ['holds a finished run, at iteration 12 of 12', '--resume goes on']),
        ('interrupted.pth', 5, ['holds a started run, at iteration 5 of 12']),
        ('best_acc_epoch_1.pth', 4, ['holds files of another run (best_acc_epoch_1.pth']),
        ('student_epoch_1.pth', 4, ['holds files of another run (student_epoch_1.pth']),
    ],
)
def test_a_folder_in_use_is_refused(tmp_path, name, done, words):
    checkpoint(tmp_path / name, done)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError) as error:
        decide_start(config(tmp_path))
    for word in [*words, str(tmp_path), '--work-dir']:
        assert word in str(error.value)
    assert sorted(tmp_path.iterdir()) == before


def test_files_of_no_run_do_not_count(tmp_path):
    for name in ('teacher.pth', 'nonfinite_iter_3.pth', 'policy.json', 'notes.txt'):
        weights(tmp_path / name)
    assert 'starts anew' in decide_start(config(tmp_path))


def test_the_checkpoint_of_another_folder_goes_into_an_empty_one_only(tmp_path):
    path = checkpoint(tmp_path / 'one' / 'epoch_1.pth')
    cfg = config(tmp_path / 'two')
    decide_start(cfg, str(path))
    assert cfg.load_from == str(path)
    checkpoint(tmp_path / 'two' / 'epoch_7.pth')
    with pytest.raises(ValueError, match='two holds a started run'):
        decide_start(config(tmp_path / 'two'), str(path))


def test_students_cannot_go_on(tmp_path):
    student = weights(tmp_path / 'student_epoch_1.pth')
    with pytest.raises(ValueError, match=r'holds weights only.*epoch_\*.pth.*init_cfg'):
        decide_start(config(tmp_path), str(student))
    parent = checkpoint(tmp_path / 'epoch_1.pth')
    with pytest.raises(ValueError, match=f"the student's weights only.*beside it: {parent}"):
        decide_start(config(tmp_path), str(student))
    with pytest.raises(FileNotFoundError, match=r'no checkpoint .*epoch_9.pth'):
        decide_start(config(tmp_path), str(Path(tmp_path, 'epoch_9.pth')))
