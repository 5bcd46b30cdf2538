"""Hooks of tst_mm for MMEngine's runner."""

from .alternating_schedule_hook import AlternatingScheduleHook
from .policy_progress_hook import PolicyProgressHook
from .student_checkpoint_hook import StudentCheckpointHook

__all__ = ['AlternatingScheduleHook', 'PolicyProgressHook', 'StudentCheckpointHook']
