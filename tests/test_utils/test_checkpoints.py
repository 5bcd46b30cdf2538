"""Finding the checkpoint to resume from."""

import os
from pathlib import Path

import pytest
import torch

from tst_mm.utils.checkpoints import check_complete, latest_checkpoint


def save(folder: Path, *names: str) -> list[Path]:
    """Checkpoints, the last one the newest."""
    paths = [folder / name for name in names]
    for time, path in enumerate(paths, 1_000_000_000):
        torch.save({'state_dict': {'a': torch.ones(999)}}, path)
        os.utime(path, (time, time))
    return paths


def test_what_the_run_names(tmp_path):
    first, _ = save(tmp_path, 'epoch_1.pth', 'epoch_2.pth')
    (tmp_path / 'last_checkpoint').write_text(str(first))
    assert latest_checkpoint(tmp_path) == str(first)


def test_a_folder_that_was_moved(tmp_path):
    [path] = save(tmp_path, 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/epoch_1.pth')
    assert latest_checkpoint(tmp_path) == str(path)


@pytest.mark.parametrize('text', [None, ''])
def test_killed_while_the_name_was_written(tmp_path, text):
    save(tmp_path, 'epoch_1.pth', 'epoch_2.pth', 'student_epoch_2.pth', 'best_acc.pth')
    os.truncate(save(tmp_path, 'epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth')[-1], 3000)
    if text is not None:
        (tmp_path / 'last_checkpoint').write_text(text)
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_2.pth')


def test_nothing_there(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / 'none') is None


@pytest.mark.faults
@pytest.mark.parametrize('size', [0, 1, 2000, -1])
def test_cut_short(tmp_path, size):
    first, second = save(tmp_path, 'epoch_1.pth', 'epoch_2.pth')
    os.truncate(second, size if size >= 0 else second.stat().st_size + size)
    (tmp_path / 'last_checkpoint').write_text(str(second))
    for find in (lambda: latest_checkpoint(tmp_path), lambda: check_complete(second)):
        with pytest.raises(ValueError, match=f'{second} is cut short.*--resume {first}'):
            find()


@pytest.mark.faults
def test_gone(tmp_path):
    save(tmp_path, 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text('epoch_2.pth')
    with pytest.raises(ValueError, match='epoch_2.pth is not there.*epoch_1.pth'):
        latest_checkpoint(tmp_path)
