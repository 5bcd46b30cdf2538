"""What a search is to the schedule: stages gather evidence, and a policy follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor


class Search(Protocol):
    """Learns a policy in stages; the schedule tells when, the model scores images.

    A search is built once a run. What it keeps between and inside stages is in its state, so that
    a run can be resumed anywhere.
    """

    def check(self, model: Any) -> None:
        """Take a run's model, before training starts; refuse one that cannot be searched."""

    def begin(
        self,
        model: Any,
        length: int,
        epoch_length: int,
        precision: Mapping[str, Any] | None = None,
    ) -> None:
        """Begin a stage.

        Args:
            model: A distiller: it has an ``augmenter`` with a ``policy``, and ``score``, which
                judges images and changes nothing.
            length: The number of steps of the stage.
            epoch_length: The number of steps in which the stage's loader has seen all images once.
            precision: The arguments of MMEngine's ``autocast``; None (default) is full precision.
        """

    def step(self, data: Any) -> dict[str, Tensor]:
        """Learn from one batch of the loader.

        Returns:
            0-dim tensors by name, for the log, the same on all ranks.
        """

    def end(self) -> str:
        """End the stage and let the policy follow; return a sentence for the log."""

    def evidence(self) -> list[dict[str, Any]]:
        """What is known of each operator, in index order: plain data for the policy file."""

    def lr(self) -> float | None:
        """The learning rate; None for a search that has none."""

    def state_dict(self) -> dict[str, Any]:
        """The state that a resumed run continues from, in plain types and tensors."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`: after :meth:`begin` inside of a stage, else before it.

        Args:
            state: The state of a search over the same policy.

        Raises:
            ValueError: The state is of another search, or broken.
        """
