"""Stream: what a sequence of random draws is for."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Stream:
    """One of the independent sequences of random draws of a run.

    All draws of a run are a function of its seed, the stream, the step within the stream and the
    rank. Drawing from one stream takes nothing from the others.

    Attributes:
        number: The number that goes into the seeds. 0 and above belong to the student and to the
            stages; every other use takes a negative number that no other use has.
    """

    number: int

    #: The student's steps.
    STUDENT: ClassVar['Stream']
    #: The images that a report looks at.
    REPORT: ClassVar['Stream']
    #: The choice of the images that are held out.
    HELD_OUT: ClassVar['Stream']
    #: The looks at seen images and at images held out.
    LOOK: ClassVar['Stream']
    #: The images that take the place of those held out.
    SUBSTITUTE: ClassVar['Stream']

    @classmethod
    def stage(cls, index: int) -> 'Stream':
        """Give the stream of an augmenter stage.

        Args:
            index: The index of the stage in the schedule, from 0.
        """
        return cls(1 + index)


Stream.STUDENT = Stream(0)
Stream.REPORT = Stream(-1)
Stream.HELD_OUT = Stream(-2)
Stream.LOOK = Stream(-3)
Stream.SUBSTITUTE = Stream(-4)
