"""What a checkpoint keeps of the schedule and the policy, under ``checkpoint['tst_mm']``."""

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

from torch import Tensor

from tst_mm.augment.policy import AugmentPolicy
from tst_mm.search import Search

from .augmenter_stage import AugmenterStage
from .stages import Stage

#: The key of the schedule's part of a checkpoint.
SCHEDULE_KEY = 'tst_mm'
_VERSION = 2


def pack_state(
    schedule: Sequence[Stage],
    policy: AugmentPolicy,
    search: Search,
    stage: int,
    running: AugmenterStage | None,
    history: list[dict[str, Any]],
    evidence: list[dict[str, Any]],
) -> dict[str, Any]:
    """Collect the state in plain types and tensors, so that it loads with ``weights_only=True``.

    Args:
        schedule: All stages of the run.
        policy: The policy, which is kept exactly, and in readable form for
            :mod:`tools.export_policy`.
        search: The search that learns the policy.
        stage: The index of the stage that runs or comes next.
        running: The stage itself while it runs; None between stages.
        history: The history of the policy, one entry for each log line.
        evidence: The evidence that the last ended stage found.
    """
    return {
        'version': _VERSION,
        'schedule': [[stage.begin, stage.length] for stage in schedule],
        'policy': policy.to_dict(),
        'policy_state': {name: value.cpu() for name, value in policy.state_dict().items()},
        'search': search.state_dict(),
        'stage': stage,
        'running': None if running is None else running.state_dict(),
        'history': history,
        'evidence': evidence,
    }


def check_state(
    state: dict[str, Any], schedule: Sequence[Stage], policy: AugmentPolicy, iteration: int
) -> None:
    """Refuse a checkpoint that this run cannot continue.

    Stages that have begun must be the same; later ones may be changed, added or removed.

    Args:
        state: The state that :func:`pack_state` collected.
        schedule: The stages of this run.
        policy: The policy of this run.
        iteration: The number of student iterations done.

    Raises:
        ValueError: The version, the operators or the stages that have begun differ.
    """
    check_operators(state, policy)
    stages, index = state.get('schedule'), state.get('stage')
    if not isinstance(stages, list) or not all(
        isinstance(stage, (list, tuple)) and [type(value) for value in stage] == [int, int]
        for stage in stages
    ):
        raise _broken('schedule', stages)
    if type(index) is not int or not 0 <= index <= len(stages):
        raise _broken('stage', index)
    for key in ('history', 'evidence'):
        if not isinstance(state.get(key), list):
            raise _broken(key, state.get(key))
    if not isinstance(state.get('search'), Mapping):
        raise _broken('search', state.get('search'))
    if 'running' not in state or state['running'] is not None and index == len(stages):
        raise _broken('running', state.get('running'))
    begun = index + (state['running'] is not None)
    written = [tuple(stage) for stage in stages]
    present = [(stage.begin, stage.length) for stage in schedule]
    missed = [begin for begin, _ in present[begun:] if begin < iteration]
    if present[:begun] != written[:begun] or missed:
        raise ValueError(
            f'cannot resume: the checkpoint is at iteration {iteration} of a run with stages '
            f'{written} (begin and length in iterations), of which {begun} have begun, but this '
            f'run has {present}. Either give the stages that have begun back to the config, or '
            'start a new run from its weights and policy: load_from instead of resume'
        )


def check_operators(state: dict[str, Any], policy: AugmentPolicy) -> None:
    """Refuse a state of another version, or of a policy over other operators.

    Raises:
        ValueError: The version or the operators differ, and the error names both; or the state is
            broken.
    """
    if not isinstance(state, Mapping):
        raise _broken('state', state)
    if state.get('version') != _VERSION:
        raise ValueError(
            f'the checkpoint has tst_mm state of version {state.get("version")!r}; '
            f'allowed: {_VERSION}'
        )
    try:
        written = [str(entry['name']) for entry in state['policy']['operators']]
    except (KeyError, TypeError, IndexError):
        raise _broken('policy', state.get('policy')) from None
    if written != list(policy.names):
        raise ValueError(
            f'the checkpoint holds a policy over {", ".join(written)}, '
            f'but the augmenter has {", ".join(policy.names)}; allowed: the same operators'
        )
    expected, weights = policy.state_dict(), state.get('policy_state')
    if (
        not isinstance(weights, Mapping)
        or weights.keys() != expected.keys()
        or any(
            not isinstance(value, Tensor) or value.shape != expected[name].shape
            for name, value in weights.items()
        )
    ):
        raise _broken('policy_state', weights)


def _broken(key: str, value: Any) -> ValueError:
    return ValueError(
        f"the checkpoint's tst_mm state is broken: {key} is {shorten(repr(value), 80)}"
    )
