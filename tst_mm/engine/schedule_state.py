"""What a checkpoint keeps of the schedule and the policy, under ``checkpoint['tst_mm']``."""

from collections.abc import Sequence
from typing import Any

from tst_mm.augment.policy import AugmentPolicy

from .augmenter_stage import AugmenterStage
from .stages import Stage

#: Key of our part of a checkpoint.
STATE_KEY = 'tst_mm'
_VERSION = 1


def pack_state(
    schedule: Sequence[Stage],
    policy: AugmentPolicy,
    stage: int,
    running: AugmenterStage | None,
    history: list[dict[str, Any]],
) -> dict[str, Any]:
    """Collect the state in plain types and tensors, so that it loads with ``weights_only=True``.

    Args:
        schedule: All stages.
        policy: The policy; kept exactly, and in readable form for :mod:`tools.export_policy`.
        stage: Index of the stage that runs or comes next.
        running: That stage, when it runs.
        history: Of the policy.
    """
    return {
        'version': _VERSION,
        'schedule': [[stage.begin, stage.length] for stage in schedule],
        'policy': policy.to_dict(),
        'policy_state': {name: value.cpu() for name, value in policy.state_dict().items()},
        'stage': stage,
        'running': None if running is None else running.state_dict(),
        'history': history,
    }


def check_state(
    state: dict[str, Any], schedule: Sequence[Stage], policy: AugmentPolicy, iteration: int
) -> None:
    """Refuse a checkpoint that this run cannot continue.

    Stages that have begun must be the same; later ones may be changed, added or removed.

    Args:
        state: From :func:`pack_state`.
        schedule: Of this run.
        policy: Of this run.
        iteration: Student iterations done.

    Raises:
        ValueError: When the version, the operators or the stages that have begun differ.
    """
    if state['version'] != _VERSION:
        raise ValueError(
            f'the checkpoint has tst_mm state of version {state["version"]}; allowed: {_VERSION}'
        )
    check_operators(state, policy)
    begun = state['stage'] + (state['running'] is not None)
    written = [tuple(stage) for stage in state['schedule']]
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
    """Refuse the state of a policy over other operators.

    Raises:
        ValueError: Naming both lists.
    """
    written = [entry['name'] for entry in state['policy']['operators']]
    if written != list(policy.names):
        raise ValueError(
            f'the checkpoint holds a policy over {", ".join(written)}, '
            f'but the augmenter has {", ".join(policy.names)}; allowed: the same operators'
        )
