"""The hooks of a training in one place, as MMEngine has them."""

from .safety import (
    ExactResumeHook,
    NonFiniteHook,
    PreemptionHook,
    SharedBuffersHook,
    StudentCheckpointHook,
    TeacherCheckHook,
)
from .schedule import AlternatingScheduleHook, PolicyProgressHook

__all__ = [
    'AlternatingScheduleHook',
    'ExactResumeHook',
    'NonFiniteHook',
    'PolicyProgressHook',
    'PreemptionHook',
    'SharedBuffersHook',
    'StudentCheckpointHook',
    'TeacherCheckHook',
]
