"""What can happen to a run."""

from dataclasses import dataclass

#: Where a fault can strike: before a step of the student, of the augmenter, of validation; in the
#: middle of writing a checkpoint, a student file or a policy; before the finished file gets its
#: name; and while MMEngine's ``last_checkpoint`` is open.
EVENTS = ('student', 'augmenter', 'validation', 'write', 'rename', 'pointer')


@dataclass(frozen=True)
class Fault:
    """What happens to a run, and when.

    Attributes:
        event: One of ``EVENTS``, or ``'start'``.
        count: Which of them, from 1.
        act: ``'kill'`` and ``'terminate'`` send the process SIGKILL or SIGTERM, ``'terminate all'``
            its workers too; ``'fill'`` bounds the size of files to half of what checkpoints need,
            as a full disk does; ``'move'`` puts a file in the place of the work folder, which is
            then called ``moved``.
        delay: Seconds from the event to a kill.
    """

    event: str
    count: int = 1
    act: str = 'kill'
    delay: float = 0.0
