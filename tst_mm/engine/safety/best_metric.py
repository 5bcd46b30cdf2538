"""A metric to save the best checkpoint by that the validation does not give."""

from __future__ import annotations

from collections.abc import Mapping

from mmengine.hooks import CheckpointHook

from tst_mm.utils import closest


def explain_best_metric(error: BaseException | None) -> KeyError | None:
    """Give the error to show where ``save_best`` names no metric; MMEngine's is the bare name.

    Args:
        error: The error that came out of training.

    Returns:
        An error that names the metrics that there are; None when the cause is another.
    """
    trace = error.__traceback__ if isinstance(error, KeyError) else None
    while trace is not None:
        known = trace.tb_frame.f_locals
        owner, metrics = known.get('self'), known.get('metrics')
        saving = trace.tb_frame.f_code.co_name == '_save_best_checkpoint'
        if saving and isinstance(owner, CheckpointHook) and isinstance(metrics, Mapping):
            missing = [key for key in owner.key_indicators if key not in metrics]
            if missing:
                return KeyError(
                    f'default_hooks.checkpoint.save_best is {missing[0]!r}, which the validation '
                    f'does not give; {closest(missing[0], metrics)}. Once it is mended, --resume '
                    'goes on from the last checkpoint'
                )
        trace = trace.tb_next
    return None
