"""Run one command of the set-up: show its progress, and on failure say why and what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

#: What a failing command printed, what that means, what to do. The first match counts.
CAUSES = (
    (
        r'No space left on device|Disk quota exceeded',
        'the disk is full',
        'free some space (5 GB, or 12 GB for a CUDA torch) and run the same command again',
    ),
    (
        r'name resolution|Name or service not known|NewConnectionError|Network is unreachable'
        r'|ConnectTimeout|ProxyError|Connection refused',
        'the package index cannot be reached',
        "check the network or proxy (pip's own settings, such as PIP_INDEX_URL, are honoured) and "
        'run the same command again; what is finished is kept',
    ),
    (
        r'No matching distribution found for \S+',
        'the package index does not offer that version for this Python and platform',
        'check `pip config list` for a private index; tst_mm is set up on 64-bit Linux',
    ),
    (
        r'Killed signal terminated|cannot allocate memory|Cannot allocate memory|out of memory',
        'the compiler ran out of memory',
        'run again with fewer parallel compilers: MAX_JOBS=1 make setup',
    ),
    (
        r'Permission denied|Read-only file system',
        'a folder cannot be written',
        'check who owns the folder named below',
    ),
)


class SetupError(Exception):
    """A step failed.

    Args:
        why: What is wrong, in one line.
        remedy: What the user can do about it.
        details: The last lines of output, if they help.
    """

    def __init__(self, why: str, remedy: str, details: str = '') -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy
        self.details = details


def diagnose(output: str, log: Path | None = None) -> SetupError:
    """Name the cause of a failed command from what it printed.

    Args:
        output: Everything that the command printed, or the message of an error.
        log: The file that holds the same. Defaults to None, for no such file.

    Returns:
        The error to raise, with the last lines of output.
    """
    last = '\n'.join(line[:300] for line in output.splitlines()[-12:])
    details = f'last output (all of it: {log}):\n{last}' if log else last
    for pattern, why, remedy in CAUSES:
        match = re.search(pattern, output)
        if match:
            return SetupError(f'{why} ({match[0]})', remedy, details)
    return SetupError('a command failed', 'the last output, below, says why', details)


class Console:
    """Prints numbered steps and runs their commands.

    Args:
        total: The number of steps.
        log: The file that takes the output of all commands.
    """

    def __init__(self, total: int, log: Path) -> None:
        self.total = total
        self.log = log
        self.done = 0
        self.live = sys.stdout.isatty()

    def step(self, title: str) -> None:
        """Announce the next step."""
        self.done += 1
        print(f'[{self.done}/{self.total}] {title}', flush=True)

    def show(self, text: str) -> None:
        """Print a line of progress; on a terminal it replaces the one before."""
        if self.live:
            width = shutil.get_terminal_size().columns - 7
            print(f'\r\x1b[K      {text[:width]}', end='', flush=True)
        else:
            print(f'      {text}', flush=True)

    def run(
        self,
        command: Sequence[object],
        progress: Callable[[str], str | None],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Run a command.

        Args:
            command: The program and its arguments.
            progress: A function that turns a line of output into what the user sees, or into None
                for nothing.
            env: The environment variables to add. Defaults to none.
            cwd: The folder that the command runs in. Defaults to the current one.

        Raises:
            SetupError: The command fails.
        """
        lines = []
        with self.log.open('a', encoding='utf-8', buffering=1) as log:
            log.write(f'\n$ {" ".join(map(str, command))}\n')
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding='utf-8',
                errors='replace',
                env={**os.environ, **(env or {})},
                cwd=cwd,
            )
            for line in process.stdout:
                log.write(line)
                lines.append(line)
                text = progress(line)
                if text:
                    self.show(text)
        if self.live:
            print('\r\x1b[K', end='', flush=True)
        if process.wait():
            raise diagnose(''.join(lines), self.log)


def pip_progress(line: str) -> str | None:
    """What is worth seeing of pip's output: large downloads and what gets installed."""
    match = re.match(r'\s*(Downloading \S+ \([\d.]+ [MG]B\)|Installing collected packages)', line)
    return match[1] if match else None


class NinjaProgress:
    """Turns ninja's ``[12/78] c++ …`` lines into a counter with the time left.

    Args:
        every: Which objects are shown: each n-th one, which is for output that is not a terminal.
            Defaults to 1.
    """

    def __init__(self, every: int = 1) -> None:
        self.every = every
        self.start = 0.0

    def __call__(self, line: str) -> str | None:
        """The counter for one line of output, or None for other lines."""
        match = re.match(r'\s*\[(\d+)/(\d+)\]', line)
        if not match:
            return None
        now = time.monotonic()
        self.start = self.start or now
        done, total = int(match[1]), int(match[2])
        if done % self.every and done != total:
            return None
        left = (now - self.start) / max(done - 1, 1) * (total - done)
        eta = f', about {left / 60:.0f} min left' if done > 3 and left > 45 else ''
        return f'compiled {done} of {total}{eta}'
