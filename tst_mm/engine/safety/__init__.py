"""What keeps a run whole: checkpoints, exact resume, stops that lose nothing, student files."""

from .exact_resume_hook import ExactResumeHook
from .first_batch_hook import FirstBatchHook
from .non_finite_hook import NonFiniteHook
from .preemption_hook import PreemptionHook
from .shared_buffers_hook import SharedBuffersHook
from .student_checkpoint_hook import StudentCheckpointHook
from .teacher_check_hook import TeacherCheckHook

__all__ = [
    'ExactResumeHook',
    'FirstBatchHook',
    'NonFiniteHook',
    'PreemptionHook',
    'SharedBuffersHook',
    'StudentCheckpointHook',
    'TeacherCheckHook',
]
