"""Facts about the git repository that code, or a run, stands in."""

import subprocess
from collections.abc import Sequence
from pathlib import Path


def git_commit(folder: str | Path = '.', short: bool = False) -> str | None:
    """Give the commit that is checked out.

    Args:
        folder: Any folder of the repository. Defaults to the current one.
        short: Whether the first digits are enough. Defaults to False.

    Returns:
        The hash of the commit; None outside of a repository and where there is no git.
    """
    return _git(folder, 'rev-parse', *(['--short'] if short else []), 'HEAD') or None


def git_changed(folder: str | Path = '.', paths: Sequence[str] = ()) -> bool:
    """Whether files that git tracks differ from the commit; False outside of a repository.

    Args:
        folder: Any folder of the repository. Defaults to the current one.
        paths: Files and folders to look at, relative to ``folder``. Defaults to all.
    """
    return bool(_git(folder, 'status', '--porcelain', '--untracked-files=no', '--', *paths))


def git_state(folder: str | Path = '.') -> str:
    """The commit in short, with ``+`` when files were changed since; ``'unknown'`` without git.

    Args:
        folder: Any folder of the repository. Defaults to the current one.
    """
    commit = git_commit(folder, short=True)
    return f'{commit}{"+" if git_changed(folder) else ""}' if commit else 'unknown'


def _git(folder: str | Path, *command: str) -> str:
    """What git prints; empty when it fails, and nothing of its complaint on the terminal."""
    try:
        done = subprocess.run(
            ['git', *command], cwd=folder, capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return ''
    return done.stdout.strip() if done.returncode == 0 else ''
