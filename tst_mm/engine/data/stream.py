"""Stream: what a sequence of random draws is for."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Stream:
    """One of the independent sequences of random draws of a run.

    All draws of a run are a function of its seed, the stream, the step within the stream and the
    rank. Who draws from a stream of its own takes nothing from the others.

    Attributes:
        number: What goes into the seeds. 0 and above belong to the student and to the stages;
            every other use takes a negative number that no other use has.
    """

    number: int

    #: The student's steps.
    STUDENT: ClassVar['Stream']
    #: What a report looks at.
    REPORT: ClassVar['Stream']
    #: Which images are held out.
    HELD_OUT: ClassVar['Stream']
    #: Looks at images seen and held out.
    LOOK: ClassVar['Stream']
    #: What takes the place of images held out.
    SUBSTITUTE: ClassVar['Stream']

    @classmethod
    def stage(cls, index: int) -> 'Stream':
        """The stream of an augmenter stage.

        Args:
            index: Of the stage in the schedule, from 0.
        """
        return cls(1 + index)


Stream.STUDENT = Stream(0)
Stream.REPORT = Stream(-1)
Stream.HELD_OUT = Stream(-2)
Stream.LOOK = Stream(-3)
Stream.SUBSTITUTE = Stream(-4)
