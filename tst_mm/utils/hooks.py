"""Hooks of a run, found by what they are, however the config named them."""

from typing import TypeVar

from mmengine.hooks import Hook
from mmengine.runner import Runner

Kind = TypeVar('Kind', bound=Hook)


def find_hook(runner: Runner, kind: type[Kind]) -> Kind | None:
    """Find the first hook of a run that is of a class or of a subclass of it.

    Args:
        runner: The runner of the run.
        kind: The class of the hook.

    Returns:
        The hook; None where the run has none.
    """
    return next((hook for hook in runner.hooks if isinstance(hook, kind)), None)


def ensure_hook(runner: Runner, kind: type[Kind]) -> Kind:
    """Find the hook of a class; a run without one gets one with its default arguments.

    A hook may call this in its ``before_run``. The ``before_run`` of the new hook is then perhaps
    not called, and that of the calling hook perhaps called twice, because MMEngine walks through
    the list that has grown.

    Args:
        runner: The runner of the run.
        kind: The class of the hook.
    """
    hook = find_hook(runner, kind)
    if hook is None:
        hook = kind()
        runner.register_hook(hook)
    return hook
