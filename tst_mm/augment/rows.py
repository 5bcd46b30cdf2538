"""A batch as single images: what an operator acts on is taken out and put back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Rows:
    """The rows of a tensor, of which some are replaced; rows that are not touched are not copied.

    Neither are their gradients, which the backward of ``index_select`` and ``index_copy`` would
    copy once more for every operator. Positions are host numbers, so that no index travels to the
    device; None means all rows.

    Args:
        tensor: The tensor, (B, ...), which is never modified.
    """

    def __init__(self, tensor: Tensor) -> None:
        self._whole: Tensor | None = tensor
        self._rows: list[Tensor] = []

    def take(self, positions: Sequence[int] | None) -> Tensor:
        """Take k rows, (k, ...); all rows, or a single one, are taken without a copy."""
        if positions is None:
            return self.whole()
        rows = self._single()
        if len(positions) == 1:
            return rows[positions[0]].unsqueeze(0)
        return torch.stack([rows[position] for position in positions])

    def put(self, positions: Sequence[int] | None, values: Tensor) -> None:
        """Replace k rows by ``values``, (k, ...)."""
        if positions is None:
            self._whole, self._rows = values, []
            return
        rows = self._single()
        for position, value in zip(positions, values.unbind(), strict=True):
            rows[position] = value
        self._whole = None

    def whole(self) -> Tensor:
        """All rows, (B, ...); the tensor itself where nothing was replaced."""
        if self._whole is None:
            self._whole = torch.stack(self._rows)
        return self._whole

    def _single(self) -> list[Tensor]:
        if not self._rows:
            self._rows = list(self.whole().unbind())
        return self._rows


def take(tensor: Tensor, positions: Sequence[int] | None) -> Tensor:
    """Take k rows, (k, ...), of a tensor, (B, ...); see :meth:`Rows.take`."""
    return Rows(tensor).take(positions)
