"""The hooks of a training in one place, as MMEngine has them."""

from .channels_last_hook import ChannelsLastHook
from .safety import (
    ExactResumeHook,
    FirstBatchHook,
    NonFiniteHook,
    PreemptionHook,
    SharedBuffersHook,
    StudentCheckpointHook,
    TeacherCheckHook,
)
from .schedule import AdaptiveAmountHook, AlternatingScheduleHook, PolicyProgressHook

__all__ = [
    'AdaptiveAmountHook',
    'AlternatingScheduleHook',
    'ChannelsLastHook',
    'ExactResumeHook',
    'FirstBatchHook',
    'NonFiniteHook',
    'PolicyProgressHook',
    'PreemptionHook',
    'SharedBuffersHook',
    'StudentCheckpointHook',
    'TeacherCheckHook',
]
