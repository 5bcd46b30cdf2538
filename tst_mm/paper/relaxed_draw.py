"""RelaxedDraw: a draw whose gates may be half open, differentiable in the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from tst_mm.augment.draw import Draw, Part
from tst_mm.augment.operators import ImageInfo, Operator


@dataclass(frozen=True)
class GatedPart(Part):
    """What one operator does where its gate is between closed and open.

    Attributes:
        gate (Tensor): How far the gate is open for each image, (k, 1, 1, 1) in [0, 1].
    """

    gate: Tensor

    def recolor(self, pixels: Tensor, info: ImageInfo) -> Tensor:
        """Let the operator take effect as far as the gate is open."""
        return torch.lerp(pixels, super().recolor(pixels, info), self.gate.to(pixels.dtype))

    def erased(self, draw: Draw, height: int, width: int) -> Tensor:
        """Let the operator take effect as far as the gate is open."""
        return self.gate * super().erased(draw, height, width)


@dataclass(frozen=True)
class RelaxedDraw(Draw):
    """A draw with gates in [0, 1]; all tensors are on one device and differentiable."""

    host_only: ClassVar[tuple[str, ...]] = ()
    may_stay: ClassVar[bool] = True

    def detach(self) -> RelaxedDraw:
        """The same draw, cut from the policy: for labels, pictures and replays."""
        tensors: dict[str, Any] = {
            name: value.detach() for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **tensors)

    def parts(
        self,
        family: type[Operator],
        device: torch.device,
        within: Sequence[int] | None = None,
    ) -> Sequence[Part]:
        """The operators of a family that act on at least one image, with their gates."""
        tables = (self.levels, self.gates)
        return [GatedPart(*cells) for cells in self.cells(family, device, within, *tables)]
