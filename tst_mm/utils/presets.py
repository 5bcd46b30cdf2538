"""Named sets of arguments, from which single arguments can be changed."""

from collections.abc import Mapping
from typing import Any

from .errors import closest


def with_preset(
    where: str, presets: Mapping[str, Mapping[str, Any]], preset: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """A preset's arguments; one that is given, and not None, wins.

    Args:
        where: What the preset is of, for the error.
        presets: The arguments of each preset, by its name.
        preset: The name of the preset.
        given: The arguments as the user gave them, None where they were not given.

    Raises:
        ValueError: No such preset; the error names the closest one.
    """
    if preset not in presets:
        raise ValueError(f'preset of {where} is {preset!r}; {closest(preset, presets)}')
    return {**presets[preset], **{key: value for key, value in given.items() if value is not None}}
