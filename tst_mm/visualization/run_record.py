"""What a run has left in its work folder for a report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tst_mm.augment.policy_file import read_policy

from .distribution import Distribution
from .figure import darken, save_figure
from .history import History

_POLICY = 'policy.json'
#: The folder, in the work folder, of what only the run itself can measure, and of single figures.
FOLDER = 'report'
_DISTRIBUTION, _IMAGES, _DARK_IMAGES = 'distribution.json', 'images.png', 'images_dark.png'


@dataclass(frozen=True)
class RunRecord:
    """What a report shows of one run.

    Attributes:
        name: The name of the run in headings and legends.
        provenance: The provenance of the policy, as ``policy.json`` has it.
        history: The history of the policy.
        distribution: The distribution of confidence; None when :class:`tst_mm.PolicyReportHook`
            did not measure it.
        images: The grid of augmented images as PNG, for a light and for a dark page; None in the
            same case.
    """

    name: str
    provenance: Mapping[str, Any]
    history: History
    distribution: Distribution | None = None
    images: tuple[bytes, bytes] | None = None

    @property
    def iteration(self) -> float:
        """The number of student iterations that are known to be done."""
        measured = 0 if self.distribution is None else self.distribution.iteration
        return max(self.history.iteration, measured)

    @classmethod
    def load(cls, folder: str | Path, name: str | None = None) -> RunRecord:
        """Read a work folder.

        Args:
            folder: The work folder, with ``policy.json`` inside.
            name: The name of the run. Defaults to that of the folder.

        Raises:
            FileNotFoundError: There is no ``policy.json``.
            ValueError: A file is cut short or holds something else.
        """
        folder = Path(folder)
        path = folder / _POLICY
        if not path.is_file():
            raise FileNotFoundError(
                f'{str(folder)!r} has no {_POLICY}; allowed: the work folder of a TST run'
            )
        policy = read_policy(path)
        try:
            history = History.from_dict(policy)
        except (KeyError, ValueError) as error:
            raise ValueError(f'policy file {path}: {error.args[0]}') from None
        measured = folder / FOLDER / _DISTRIBUTION
        pictures = [folder / FOLDER / file for file in (_IMAGES, _DARK_IMAGES)]
        provenance = policy.get('provenance')
        return cls(
            name=name or folder.resolve().name,
            provenance=provenance if isinstance(provenance, Mapping) else {},
            history=history,
            distribution=Distribution.load(measured) if measured.is_file() else None,
            images=tuple(path.read_bytes() for path in pictures)
            if all(path.is_file() for path in pictures)
            else None,
        )


def load_runs(folders: Sequence[str | Path]) -> list[RunRecord]:
    """Read work folders; each run is named by what tells its folder from the others.

    Raises:
        FileNotFoundError: A folder has no ``policy.json``.
        ValueError: A folder is given twice, or a file is cut short.
    """
    paths = [Path(folder).resolve() for folder in folders]
    for i, path in enumerate(paths):
        if path in paths[:i]:
            raise ValueError(f'{folders[i]} is given twice; allowed: each run once')
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        common = os.path.commonpath(paths)
        names = [os.path.relpath(path, common) for path in paths]
    return [RunRecord.load(path, name) for path, name in zip(paths, names, strict=True)]


def save_measurements(folder: str | Path, examples: Any, distribution: Any) -> None:
    """Write what :meth:`RunRecord.load` reads beside ``policy.json``.

    Args:
        folder: The work folder.
        examples: The :class:`Examples`; without any image no grid is written.
        distribution: The :class:`Distribution`, or None.

    Raises:
        OSError: The folder cannot be written; each file is then complete or as before.
    """
    folder = Path(folder, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    if distribution is not None:
        distribution.save(folder / _DISTRIBUTION)
    if len(examples):
        figure = examples.plot()
        save_figure(figure, folder / _IMAGES)
        save_figure(darken(figure), folder / _DARK_IMAGES)
