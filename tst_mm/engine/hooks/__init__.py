"""Hooks of tst_mm for MMEngine's runner."""

from .alternating_schedule_hook import AlternatingScheduleHook
from .exact_resume_hook import ExactResumeHook
from .student_checkpoint_hook import StudentCheckpointHook

__all__ = ['AlternatingScheduleHook', 'ExactResumeHook', 'StudentCheckpointHook']
