"""What a check of a data set found."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Findings:
    """Lines for the user, in three degrees.

    Attributes:
        found: What is there.
        notes: What is unusual and does no harm, or is dropped in training.
        faults: What is missing or wrong, so that training or evaluation would fail or be false.
    """

    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def count(self, lines: list[str], what: str, cases: Sequence) -> None:
        """Add one line for all cases of one kind, none if there are none.

        Args:
            lines: The list that the line is added to, one of the three.
            what: What the cases are.
            cases: The cases, of which the first is named.
        """
        if cases:
            lines.append(f'{len(cases)} {what}, first: {cases[0]}')

    def __str__(self) -> str:
        groups = (('found', self.found), ('note', self.notes), ('FAULT', self.faults))
        return '\n'.join(f'{title:6}{line}' for title, lines in groups for line in lines)
