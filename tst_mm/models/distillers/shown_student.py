"""What of the student is shown to hooks that ask the runner's model for it."""

from __future__ import annotations

from typing import Any

from torch import nn


def _shown(name: str) -> property:
    """The student's part of this name; without one there is no such attribute."""
    return property(lambda self: getattr(self.student, name), doc=f"The student's ``{name}``.")


class ShownStudent:
    """The parts of the student for which hooks of the three libraries reach into the model.

    Only these: were every attribute of the student forwarded, whoever walks through the model's
    parameters would take the distiller for the student, and give its layers wrong rates.
    """

    student: nn.Module

    #: Of ``YOLOXModeSwitchHook`` and the like.
    bbox_head = _shown('bbox_head')
    roi_head = _shown('roi_head')
    #: Of mmpretrain's ``SetAdaptiveMarginsHook`` and ``SwitchRecipeHook``.
    head = _shown('head')
    #: Of mmseg's models.
    decode_head = _shown('decode_head')
    #: Of ``SetEpochInfoHook``: ``set_epoch(epoch)``.
    set_epoch = _shown('set_epoch')

    def parameters_beside_student(self) -> dict[str, nn.Parameter]:
        """What is trained beside the student, by name: connectors. For optimisers' constructors."""
        own = {id(parameter) for parameter in self.student.parameters()}
        module: Any = self
        return {
            name: parameter
            for name, parameter in module.named_parameters()
            if id(parameter) not in own and parameter.requires_grad
        }
