"""The label of pixels that do not count, which every head has to share."""

from __future__ import annotations

from torch import nn

from .heads import stages

#: What mmseg and its losses ignore by default.
DEFAULT = 255


def reconcile_ignore_indices(student: nn.Module, teacher: nn.Module) -> int:
    """The one ignore index of a student's heads, which the teacher's heads are given.

    Label maps are the student's, so pixels that do not count, also those that come from outside of
    a moved image, have its index. The teacher is frozen; only what its losses leave out changes.

    Args:
        student: An encoder-decoder.
        teacher: Another one; its ``ignore_index`` is set.

    Returns:
        The index; 255 where heads have none.

    Raises:
        ValueError: The student's heads have several.
    """
    found = {name: index for name, head in _heads(student) if (index := _index(head)) is not None}
    if len(set(found.values())) > 1:
        said = ', '.join(f'{name} {index}' for name, index in found.items())
        raise ValueError(
            f'student: ignore_index differs between heads ({said}), so pixels from outside of a '
            f'moved image cannot be ignored by all of them; allowed: set one ignore_index for all'
        )
    index = next(iter(found.values()), DEFAULT)
    for _, head in _heads(teacher):
        if _index(head) is not None:
            head.ignore_index = index
            for loss in head.modules():
                if isinstance(getattr(loss, 'ignore_label', None), int):
                    loss.ignore_label = index
    return index


def _heads(model: nn.Module) -> list[tuple[str, nn.Module]]:
    return [*stages(model, 'decode_head'), *stages(model, 'auxiliary_head')]


def _index(head: nn.Module) -> int | None:
    index = getattr(head, 'ignore_index', None)
    return index if isinstance(index, int) else None
