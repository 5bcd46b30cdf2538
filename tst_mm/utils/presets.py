"""Named sets of arguments, from which single arguments can be changed."""

from collections.abc import Mapping
from typing import Any

from .errors import closest


def with_preset(
    where: str, presets: Mapping[str, Mapping[str, Any]], preset: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """A preset's arguments; one that is given, and not None, wins.

    Args:
        where: Whose preset it is, for the error.
        presets: Arguments by name of the preset.
        preset: Name.
        given: Arguments as the user gave them, None where not.

    Raises:
        ValueError: No such preset; the error names the closest one.
    """
    if preset not in presets:
        raise ValueError(f'preset of {where} is {preset!r}; {closest(preset, presets)}')
    return {**presets[preset], **{key: value for key, value in given.items() if value is not None}}
