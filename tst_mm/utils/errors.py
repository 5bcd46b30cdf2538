"""Wording of errors: name the thing, its value, what is allowed, and the closest match."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from inspect import signature
from typing import Any


def closest(name: str, allowed: Iterable[str]) -> str:
    """Give the part of an error message that says what would have been right.

    Args:
        name: The name that the user wrote.
        allowed: The names that exist.

    Returns:
        The words ``"did you mean 'x'? allowed: a, x"``, without the question when nothing is
        close.
    """
    names = [str(item) for item in allowed]
    folded = {item.lower(): item for item in reversed(names)}
    match = get_close_matches(str(name).lower(), folded, n=1)
    hint = f'did you mean {folded[match[0]]!r}? ' if match else ''
    return f'{hint}allowed: {", ".join(names) or "(nothing)"}'


def require_mapping(where: str, value: Any) -> None:
    """Raise unless a config entry is a dictionary.

    Args:
        where: The name of the entry, as the user knows it (``'teacher'``).
        value: The value that stands there.

    Raises:
        TypeError: The value is no dictionary; the error names the entry and the value.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f'{where} is {value!r}; allowed: a dictionary')


def reject_unknown_keys(where: str, given: Iterable[str], allowed: Collection[str]) -> None:
    """Raise for the first key that has no effect.

    Args:
        where: The name of the entry that holds the keys, as the user knows it (``'teacher'``).
        given: The keys that are found there.
        allowed: The keys that are read.

    Raises:
        KeyError: A key is unknown; the error names it, the entry and the closest allowed key.
    """
    for key in given:
        if key not in allowed:
            raise KeyError(f'{where} has no key {key!r}; {closest(key, allowed)}')


def reject_unknown_arguments(where: str, config: Iterable[str], kind: type) -> None:
    """Raise for the first key of a component's config that its class does not take.

    Args:
        where: The name of the entry, as the user knows it (``'augmenter'``).
        config: The keys of the entry; ``type`` is always allowed.
        kind: The class that the entry builds.

    Raises:
        KeyError: A key is unknown; the error names it, the entry and the closest allowed key.
    """
    allowed = [key for key in signature(kind).parameters if key not in ('args', 'kwargs')]
    reject_unknown_keys(where, [key for key in config if key not in ('type', '_scope_')], allowed)
