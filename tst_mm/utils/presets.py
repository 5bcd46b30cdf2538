"""Named sets of arguments, from which single arguments can be changed."""

from collections.abc import Mapping
from typing import Any

from .errors import closest


def with_preset(
    where: str, presets: Mapping[str, Mapping[str, Any]], preset: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the arguments of a preset; one that the user gave, and is not None, wins.

    Args:
        where: What the preset belongs to, for the error.
        presets: The arguments of each preset, by its name.
        preset: The name of the preset.
        given: The arguments as the user gave them, None where they were not given.

    Raises:
        ValueError: There is no such preset; the error names the closest one.
    """
    if not isinstance(preset, str) or preset not in presets:
        raise ValueError(f'preset of {where} is {preset!r}; {closest(str(preset), presets)}')
    return {**presets[preset], **{key: value for key, value in given.items() if value is not None}}
