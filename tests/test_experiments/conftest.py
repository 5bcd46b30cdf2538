"""Runs whose trainings do nothing."""

from types import SimpleNamespace

import pytest

from tst_mm.experiments import Run
from tst_mm.experiments import run as run_module

#: Stands in for tools/train.py: writes what a training leaves, without training.
FAKE_TRAIN = """
import sys, time
from pathlib import Path
config, folder = Path(sys.argv[1]), Path(sys.argv[3])
with open('order.txt', 'a') as file:
    file.write(' '.join(['start', folder.name, *sys.argv[4:]]) + '\\n')
time.sleep(0.3)
if config.stem == 'broken':
    raise SystemExit('the loss is NaN')
(folder / 'iter_4.pth').write_bytes(b'')
(folder / 'last_checkpoint').write_text(str(folder / 'iter_4.pth'))
if config.stem == 'endless':
    time.sleep(60)
with open('order.txt', 'a') as file:
    file.write('end ' + folder.name + '\\n')
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with configs; ``make`` makes their runs, ``order`` says what was trained when."""
    (tmp_path / 'train.py').write_text(FAKE_TRAIN)
    monkeypatch.setattr(run_module, 'TRAIN', tmp_path / 'train.py')
    monkeypatch.chdir(tmp_path)
    for name in ('teacher', 'kd', 'plain', 'broken', 'endless'):
        (tmp_path / f'{name}.py').write_text(f'steps = 4\nname = "{name}"\n')

    def make(name, teacher=None, seed=0):
        return Run(name, tmp_path / f'{name}.py', tmp_path / 'w' / name, seed, teacher)

    def order():
        return (tmp_path / 'order.txt').read_text().splitlines()

    return SimpleNamespace(make=make, order=order, root=tmp_path)
