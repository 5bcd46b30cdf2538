"""What keeps a run whole: checkpoints, exact resume, stops that lose nothing, student files."""

from .exact_resume_hook import ExactResumeHook
from .non_finite_hook import NonFiniteHook
from .preemption_hook import PreemptionHook
from .shared_buffers_hook import SharedBuffersHook
from .student_checkpoint_hook import StudentCheckpointHook
from .teacher_check_hook import TeacherCheckHook

__all__ = [
    'ExactResumeHook',
    'NonFiniteHook',
    'PreemptionHook',
    'SharedBuffersHook',
    'StudentCheckpointHook',
    'TeacherCheckHook',
]
