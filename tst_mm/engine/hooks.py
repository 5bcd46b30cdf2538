"""The hooks of a training in one place, as MMEngine has them."""

from .safety import (
    ExactResumeHook,
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
    'ExactResumeHook',
    'NonFiniteHook',
    'PolicyProgressHook',
    'PreemptionHook',
    'SharedBuffersHook',
    'StudentCheckpointHook',
    'TeacherCheckHook',
]
