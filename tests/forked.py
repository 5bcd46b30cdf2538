"""Trainings that commands start, as forks of this process instead of processes of their own.

Importing the libraries takes longer than a tiny training, and a fork has them already. Commands in
processes of their own are tested where that is what matters.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2

from tst_mm.cli import distill
from tst_mm.cli.app import main
from tst_mm.experiments import queue

#: What a training imports.
_LIBRARIES = ('mmengine.runner', 'mmpretrain.engine', 'mmpretrain.datasets', 'mmrazor.models')


class Fork:
    """What is used of :class:`subprocess.Popen`, for a command ``tst train``.

    Args:
        command: The command, as a process of its own would be given it.
        cwd: Its folder. Defaults to the present one.
        log: The file that its output is added to. Defaults to that of this process.
    """

    def __init__(
        self, command: Sequence[str], cwd: Path | None = None, log: Path | None = None
    ) -> None:
        for name in _LIBRARIES:
            importlib.import_module(name)
        cv2.setNumThreads(0)  # threads do not outlive a fork
        context = multiprocessing.get_context('fork')
        self._process = context.Process(target=_train, args=(_arguments(command), cwd, log))
        self._process.start()

    def poll(self) -> int | None:
        return self._process.exitcode

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode


def use(replace: Callable[[Any, str, Any], None] = setattr) -> None:
    """Let queues of runs and ``tst distill --train-teacher`` start forks from now on.

    Args:
        replace: What sets an attribute; that of ``monkeypatch`` takes it back.
    """

    def run(command: Sequence[str], **options: Any) -> Any:
        return SimpleNamespace(returncode=Fork(command).wait())

    replace(queue, '_start', lambda run, _, cwd: Fork(run.prepare(), cwd, run.log))
    replace(distill, 'subprocess', SimpleNamespace(run=run))


def _arguments(command: Sequence[str]) -> list[str]:
    """The arguments of ``tst``, of a command that names the script or the module."""
    names = [Path(word).stem for word in command]
    return ['train', *command[names.index('train') + 1 :]]


def _train(arguments: list[str], cwd: Path | None, log: Path | None) -> None:
    if cwd is not None:
        os.chdir(cwd)
    if log is not None:
        with log.open('ab') as file:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(file.fileno(), stream.fileno())
    sys.exit(main(arguments))
