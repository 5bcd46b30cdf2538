"""A prepared folder is complete or absent."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from .errors import PreparationError

MARKER = 'prepared.json'


def prepare_folder(
    out: str | Path, recipe: dict, build: Callable[[Path], dict], force: bool = False
) -> dict | None:
    """Fill a folder aside and move it to its place when it is complete.

    ``prepared.json`` in the folder keeps the recipe and the summary. A folder made by the same
    recipe is left alone; one made by another recipe is replaced only by force; one without the
    file is the user's own and is never touched.

    Args:
        out: The folder that is made.
        recipe: Everything that the content depends on, as plain data that JSON can hold.
        build: A function that fills the empty folder that it is given, and returns a summary that
            JSON can hold.
        force: Whether to make the folder anew when it is there. Defaults to False.

    Returns:
        The summary, or None when the folder was there already.

    Raises:
        PreparationError: The place is taken.
    """
    out = Path(out)
    recipe = json.loads(json.dumps(recipe))  # as it is read back: lists for tuples
    if _is_prepared(out, recipe, force):
        return None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # beside its final place, so that the last step is a rename in one file system
        aside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f'.{out.name}.partial-'))
        old = aside.with_name(aside.name.replace('.partial-', '.old-'))
    except OSError as error:
        raise PreparationError(f'cannot write beside {out}: {error.strerror}') from error
    try:
        summary = build(aside)
        content = json.dumps(dict(recipe=recipe, summary=summary), indent=2)
        (aside / MARKER).write_text(content + '\n')
        aside.chmod(0o755)  # mkdtemp makes it private
        if out.exists():
            os.rename(out, old)
        os.rename(aside, out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return summary


def _is_prepared(out: Path, recipe: dict, force: bool) -> bool:
    """Whether the folder can stay; raises when it can neither stay nor be made."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        found = json.loads((out / MARKER).read_text())['recipe']
    except (OSError, ValueError, KeyError) as error:
        raise PreparationError(
            f'{out} is there and was not made by this tool: choose another --out or move it away'
        ) from error
    if force:
        return False
    different = [key for key in {**found, **recipe} if found.get(key) != recipe.get(key)]
    if different:
        key = different[0]
        raise PreparationError(
            f'{out} was made with {key}={found.get(key)!r}, asked for is {recipe.get(key)!r}: '
            'add --force to make it anew, or choose another --out'
        )
    return True
