"""Runs in child processes that can be killed, and what two runs must have in common."""

import json
import multiprocessing
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer

from tst_mm.utils.checkpoints import read_checkpoint

from .fault import Fault

ROOT = Path(__file__).resolve().parents[2]
#: The larger campaign, for a machine with time.
FULL = os.environ.get('TST_MM_FAULTS') == 'full'
_LONGEST = 240
#: What differs from run to run, by the last part of its key: clocks, and MMEngine's note of the
#: commit that the present folder is at.
_OF_THE_CLOCK = ('time', 'data_time', 'eta', 'memory', 'experiment_name', 'cfg', 'mmengine_version')
#: MMEngine's note of where its loop is, which a resumed run starts anew; ``meta`` has what counts.
_OF_THE_LOOP = tuple(f'message_hub.runtime_info.{key}' for key in ('iter', 'epoch', 'loop_stage'))

_context = multiprocessing.get_context('forkserver')


def start_server() -> None:
    """Start the server that children are forked from, with all imports done."""
    before = os.environ.get('PYTHONPATH')
    # The server itself does not take over the path of this process.
    os.environ['PYTHONPATH'] = os.pathsep.join([str(ROOT), str(ROOT / 'tests'), before or ''])
    try:
        _context.set_forkserver_preload([f'{__package__}.child'])
        multiprocessing.forkserver.ensure_running()
    finally:
        os.environ.pop('PYTHONPATH')
        if before is not None:
            os.environ['PYTHONPATH'] = before


def _train(*call: Any) -> None:
    from .child import train  # heavy, and there already in the server

    train(*call)


class Run:
    """A work folder and the trainings in it.

    Args:
        folder: Is made; gets the config, the work folder and the output.
        config: Of the run.
    """

    def __init__(self, folder: Path, config: Config) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.work = folder / 'work'
        lines = (f'{key} = {value!r}\n' for key, value in config.to_dict().items())
        (folder / 'config.py').write_text(''.join(lines))

    def train(self, *arguments: Any, fault: Fault | None = None) -> int:
        """Train to the end, or to what befalls it; the exit code, negative for a signal."""
        call = (str(ROOT), str(self.folder), [*map(str, arguments)], fault)
        process = _context.Process(target=_train, args=call)
        process.start()
        process.join(_LONGEST)
        if process.exitcode is None:
            os.killpg(process.pid, signal.SIGKILL)
            raise TimeoutError(f'no end after {_LONGEST} s; {self.output[-2000:]}')
        return process.exitcode

    @property
    def output(self) -> str:
        """What all trainings have printed."""
        return (self.folder / 'output.txt').read_text(errors='replace')

    @property
    def error(self) -> str:
        """The last line of the output, which must be an error."""
        line = self.output.splitlines()[-1]
        assert line.startswith('error: '), self.output[-3000:]
        return line

    @property
    def events(self) -> dict[str, int]:
        """How often each event happened in the last training that was not killed."""
        return json.loads((self.folder / 'events.json').read_text())

    def outcome(self) -> dict[str, Any]:
        """All that a run leaves, by name, apart from clocks and paths."""
        found: dict[str, Any] = {'policy.json': json.loads((self.work / 'policy.json').read_text())}
        for path in sorted(self.work.glob('*.pth')):
            self._flatten(path.name, read_checkpoint(path), found)
        for path in sorted(self.work.glob('*/vis_data/scalars.json')):
            for line in path.read_text().splitlines():
                entry = {k: v for k, v in json.loads(line).items() if k not in _OF_THE_CLOCK}
                key = f'log of step {entry["step"]}: {" ".join(sorted(entry))}'
                # What is done again after a resume gives the same again.
                assert same(found.setdefault(key, entry), entry), (key, found[key], entry)
        return found

    def _flatten(self, name: str, value: Any, found: dict[str, Any]) -> None:
        last = name.replace('/', '.').rsplit('.', 1)[-1]
        if last in _OF_THE_CLOCK or name.endswith(_OF_THE_LOOP):
            return
        if isinstance(value, Mapping):
            found[f'{name}.keys'] = sorted(map(str, value))
            for key, item in value.items():
                self._flatten(f'{name}.{key}', item, found)
        elif isinstance(value, (list, tuple)):
            found[f'{name}.length'] = len(value)
            for i, item in enumerate(value):
                self._flatten(f'{name}.{i}', item, found)
        elif isinstance(value, HistoryBuffer):
            found[name] = np.stack(value.data)
        else:
            found[name] = value.replace(str(self.folder), '') if isinstance(value, str) else value


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal bit for bit; NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one.nan_to_num(), other.nan_to_num())
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == 'f')
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other or one != one and other != other


def assert_same_outcome(run: Run, expected: dict[str, Any]) -> None:
    """Raise unless a run has left what another did."""
    found = run.outcome()
    where = run.output[-1500:]
    names = {path.name for path in run.work.glob('*.pth')}
    assert {name.removeprefix('student_') for name in names} <= names, names
    # A kill between a save and the removal of what it replaces leaves that too.
    replaced = tuple(name for name in names if f'{name}.keys' not in expected)
    found = {key: value for key, value in found.items() if not key.startswith(replaced)}
    assert found.keys() == expected.keys(), (sorted(found.keys() ^ expected.keys())[:20], where)
    different = [key for key in expected if not same(found[key], expected[key])]
    assert different == [], (
        [(key, found[key], expected[key]) for key in different[:5]],
        len(different),
        where,
    )
