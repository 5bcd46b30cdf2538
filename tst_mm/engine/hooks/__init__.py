"""Hooks of tst_mm for MMEngine's runner."""

from .alternating_schedule_hook import AlternatingScheduleHook
from .exact_resume_hook import ExactResumeHook
from .non_finite_hook import NonFiniteHook
from .policy_report_hook import PolicyReportHook
from .preemption_hook import PreemptionHook
from .student_checkpoint_hook import StudentCheckpointHook
from .teacher_check_hook import TeacherCheckHook

__all__ = [
    'AlternatingScheduleHook',
    'ExactResumeHook',
    'NonFiniteHook',
    'PolicyReportHook',
    'PreemptionHook',
    'StudentCheckpointHook',
    'TeacherCheckHook',
]
