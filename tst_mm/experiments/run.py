"""One training: its command, what it left behind, whether it has to be repeated."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config

#: The script that trains: links in a clone, files in an installed package.
TRAIN = Path(__file__).resolve().parents[1] / '.mim' / 'tools' / 'train.py'
_RECORD = 'demo.json'  # older than the benchmarks, whose finished runs it marks too


def fingerprint(content: Any, in_order: bool = False) -> str:
    """A hash that changes with anything in plain data.

    Args:
        content: Dictionaries, lists, numbers and strings; anything else counts by its ``str``.
        in_order: Whether the order of a dictionary's keys counts too. Defaults to False.

    Returns:
        The SHA-256 of the data as JSON, 64 hexadecimal digits.
    """
    text = json.dumps(content, sort_keys=not in_order, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Run:
    """A config that is trained with a seed into a folder.

    Attributes:
        name: What tables and messages call the run.
        config: The config file.
        folder: The work folder of the run.
        seed: The seed of the run. Defaults to 0.
        teacher: The run whose last checkpoint this one distils; None for a run without a teacher.
    """

    name: str
    config: Path
    folder: Path
    seed: int = 0
    teacher: Run | None = field(default=None, repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """A hash that changes when the config, the seed or the teacher does."""
        config = Config.fromfile(self.config).to_dict()
        parts = [config, self.seed, self.teacher and self.teacher.fingerprint]
        return fingerprint(parts, in_order=True)  # hooks are built in the order of their keys

    @property
    def record(self) -> dict:
        """What an earlier process wrote about this run; empty when there was none like it."""
        try:
            record = json.loads((self.folder / _RECORD).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return record if record.get('fingerprint') == self.fingerprint else {}

    @property
    def finished(self) -> bool:
        """Whether the run came to its end before."""
        return bool(self.record.get('finished')) and self.checkpoint is not None

    @property
    def checkpoint(self) -> Path | None:
        """The last checkpoint; None when there is none."""
        try:
            path = self.folder / Path((self.folder / 'last_checkpoint').read_text().strip()).name
        except FileNotFoundError:
            return None
        return path if path.is_file() else None

    @property
    def log(self) -> Path:
        """The file with everything that the training prints."""
        return self.folder / 'output.log'

    def prepare(self) -> list[str]:
        """Make the folder ready.

        An interrupted run is continued; what another config, seed or teacher left is removed.

        Returns:
            The command that trains.
        """
        resume = bool(self.record) and self.checkpoint is not None
        if not resume and (self.folder / _RECORD).exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write({'fingerprint': self.fingerprint})
        options = [f'randomness.seed={self.seed}']
        if self.teacher is not None:
            options.append(f'model.teacher.checkpoint={self.teacher.checkpoint}')
        command = [sys.executable, str(TRAIN), str(self.config), '--work-dir', str(self.folder)]
        return [*command, *(['--resume'] if resume else []), '--cfg-options', *options]

    def finish(self) -> None:
        """Remember that the run need not be repeated."""
        self._write({'fingerprint': self.fingerprint, 'finished': True})

    def _write(self, record: dict) -> None:
        (self.folder / _RECORD).write_text(json.dumps(record) + '\n')
