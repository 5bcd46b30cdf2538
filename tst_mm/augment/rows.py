"""A batch as single images: what an operator acts on is taken out and put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

#: Batches of at most this many images are taken apart as views, without a copy of any.
_FEW = 8


@dataclass(frozen=True)
class Selection:
    """Some images of a batch.

    Attributes:
        positions (tuple[int, ...]): Where they are in the batch, known to the host.
        index (Tensor): The same, (k,) int64, on the device of the images.
    """

    positions: tuple[int, ...]
    index: Tensor

    def __len__(self) -> int:
        return len(self.positions)


class Rows:
    """The images of a batch, some of which are replaced; None as selection stands for all of them.

    A few images are handled one by one, as views, so that nothing that stays is copied; so are all
    where gradients are recorded, which then are not copied either. Many are gathered and put back
    by the index of a selection, one launch each.

    Args:
        tensor: The tensor, (B, ...).
        own: Whether nobody else needs it, so that it may be modified. Defaults to False.
    """

    def __init__(self, tensor: Tensor, own: bool = False) -> None:
        self.device, self.dtype, self.size = tensor.device, tensor.dtype, tensor.shape[-2:]
        self._whole: Tensor | None = tensor
        self._rows: list[Tensor] = []
        #: Whether images are handled one by one.
        self.apart = len(tensor) <= _FEW or torch.is_grad_enabled()
        #: Whether the images may be modified.
        self.own = own and not torch.is_grad_enabled()

    def take(self, selection: Selection | None) -> Tensor:
        """Take k images, (k, ...); all of them, and single ones of a few, without a copy."""
        if selection is None:
            return self.whole()
        if not self.apart:
            return self.whole().index_select(0, selection.index)
        rows = self._single()
        if len(selection) == 1:
            return rows[selection.positions[0]].unsqueeze(0)
        return torch.stack([rows[position] for position in selection.positions])

    def put(self, selection: Selection | None, values: Tensor, own: bool = False) -> None:
        """Replace k images by ``values``, (k, ...), which may be modified if nobody else's."""
        if selection is None:
            self._whole, self._rows, self.own = values, [], own and not torch.is_grad_enabled()
        elif self.apart:
            rows = self._single()
            for position, value in zip(selection.positions, values.unbind(), strict=True):
                rows[position] = value
            self._whole = None
        else:
            self._whole = _put(self.whole(), selection.index, values, self.own)
            self.own = True

    def whole(self) -> Tensor:
        """All images, (B, ...); the tensor itself where nothing was replaced."""
        if self._whole is None:
            self._whole = torch.stack(self._rows)
        return self._whole

    def _single(self) -> list[Tensor]:
        if not self._rows:
            self._rows = list(self.whole().unbind())
        return self._rows


def select(positions: Sequence[int], count: int, device: torch.device) -> Selection | None:
    """Select images of a batch by their ascending positions; None where these are all.

    Args:
        positions: The positions of at least one image.
        count: The number of images of the batch.
        device: The device of the images.
    """
    if len(positions) == count:
        return None
    return Selection(tuple(positions), *send([torch.tensor(positions)], device))


def take(tensor: Tensor, selection: Selection | None) -> Tensor:
    """Take k rows, (k, ...), of a tensor, (B, ...), that belongs to the images of a batch."""
    # One by one, each row would cost a gradient of its own, also those that are not taken.
    if selection is not None and (tensor.requires_grad or len(tensor) > _FEW):
        return tensor.index_select(0, selection.index)
    return Rows(tensor).take(selection)


def _put(tensor: Tensor, index: Tensor, values: Tensor, own: bool) -> Tensor:
    """Put k rows, (k, ...), in place of those at ``index`` of a tensor, (B, ...)."""
    if not own:
        return tensor.index_copy(0, index, values)
    here = tensor.device.type == 'cpu' and tensor.is_contiguous() and values.is_contiguous()
    if here and tensor[0].nbytes % 16 == 0:
        # A CPU copies number by number: the wider the numbers, the fewer they are.
        wide, values = (part.flatten(1).view(torch.complex128) for part in (tensor, values))
        wide.index_copy_(0, index, values)
        return tensor
    return tensor.index_copy_(0, index, values)


def send(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Copy small tensors from the host to a device, all in one transfer, without waiting for it.

    Args:
        tensors: Tensors of any shapes and dtypes.
        device: Where they are needed; those that are there already are given back.
    """
    here = [tensor for tensor in tensors if tensor.device != device]
    if not here:
        return list(tensors)
    parts = []
    for tensor in here:
        raw = tensor.contiguous().flatten().view(torch.uint8)
        parts += [raw, raw.new_zeros(-len(raw) % 8)]  # views of wide numbers begin at multiples
    there = torch.cat(parts).to(device, non_blocking=True).split([len(part) for part in parts])
    sent = iter(there[::2])
    return [
        tensor if tensor.device == device else next(sent).view(tensor.dtype).view(tensor.shape)
        for tensor in tensors
    ]
