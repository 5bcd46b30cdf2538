"""One training of the demo: its command, what it left behind, whether it has to be repeated."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mmengine.config import Config

import tst_mm  # noqa: F401  (its mends: configs that inherit from mmseg's are found)

ROOT = Path(__file__).resolve().parents[2]
_RECORD = 'demo.json'


@dataclass(frozen=True)
class Run:
    """A config trained with a seed into a folder.

    Attributes:
        name: In tables and messages.
        config: Config file, relative to the repository.
        folder: Its work folder.
        seed: Of the run.
        teacher: The run whose checkpoint it distils; None for a run without a teacher.
    """

    name: str
    config: str
    folder: Path
    seed: int = 0
    teacher: Run | None = field(default=None, repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """Changes when the config, the seed or the teacher does."""
        config = Config.fromfile(ROOT / self.config).to_dict()
        parts = [config, self.seed, self.teacher and self.teacher.fingerprint]
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()

    @property
    def record(self) -> dict:
        """What an earlier demo wrote about this run; empty when there was none like it."""
        try:
            record = json.loads((self.folder / _RECORD).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return record if record.get('fingerprint') == self.fingerprint else {}

    @property
    def finished(self) -> bool:
        """Whether it ran to its end before."""
        return bool(self.record.get('finished')) and self.checkpoint is not None

    @property
    def checkpoint(self) -> Path | None:
        """The last checkpoint, or None."""
        try:
            path = self.folder / Path((self.folder / 'last_checkpoint').read_text().strip()).name
        except FileNotFoundError:
            return None
        return path if path.is_file() else None

    @property
    def log(self) -> Path:
        """File with everything that the training prints."""
        return self.folder / 'output.log'

    def prepare(self) -> list[str]:
        """Make the folder ready.

        An interrupted run is continued; what another config left is removed.

        Returns:
            The command to start, from the repository's root.
        """
        resume = bool(self.record) and self.checkpoint is not None
        if not resume and (self.folder / _RECORD).exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write({'fingerprint': self.fingerprint})
        options = [f'randomness.seed={self.seed}']
        if self.teacher is not None:
            options.append(f'model.teacher.checkpoint={self.teacher.checkpoint}')
        command = [sys.executable, 'tools/train.py', self.config, '--work-dir', str(self.folder)]
        return [*command, *(['--resume'] if resume else []), '--cfg-options', *options]

    def finish(self) -> None:
        """Remember that it need not be repeated."""
        self._write({'fingerprint': self.fingerprint, 'finished': True})

    def _write(self, record: dict) -> None:
        (self.folder / _RECORD).write_text(json.dumps(record) + '\n')
