"""Mend: MMEngine's loading of checkpoints with torch >= 2.6, which reads weights only.

MMEngine up to 0.10.7 cannot load its own checkpoints: torch refuses ``HistoryBuffer`` and the
numpy values in the message hub. The fork lists a part of them (not the float32 of mmseg's
metrics), lets every ``getattr`` through, and where that is not enough turns the safeguard off, so
that a file from elsewhere could execute what it likes. Here what MMEngine writes is declared safe,
and the safeguard stays on. This mend can go when MMEngine does both.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pickle import UnpicklingError
from types import ModuleType
from typing import Any


@contextmanager
def loading_of_own_checkpoints(checkpoint: ModuleType) -> Iterator[None]:
    """Declare safe what MMEngine itself writes into a checkpoint.

    Args:
        checkpoint: The module ``mmengine.runner.checkpoint``.
    """
    yield
    import torch
    from mmengine.utils import digit_version

    if digit_version(torch.__version__) < digit_version('2.6'):
        return
    torch.serialization.add_safe_globals(_written_by_mmengine())
    if hasattr(checkpoint, '_safe_torch_load'):  # the fork
        checkpoint._safe_torch_load = _load  # type: ignore[attr-defined]


def _load(file: Any, map_location: Any = None, weights_only: bool | None = None) -> Any:
    """Load as ``torch.load`` does, without a fallback that would execute what is in the file."""
    import torch

    return torch.load(file, map_location=map_location, weights_only=weights_only is not False)


def _written_by_mmengine() -> list[object]:
    """Classes and functions in MMEngine's checkpoints, with their names where those vary."""
    import numpy as np
    from mmengine.logging import HistoryBuffer

    multiarray = (getattr(np, '_core', None) or np.core).multiarray
    kinds = '?bBhHiIlLqQefd'
    return [
        slice,
        HistoryBuffer,
        (_statistic, 'builtins.getattr'),
        np.ndarray,
        np.dtype,
        *{type(np.dtype(kind)) for kind in kinds},
        *(
            (getattr(multiarray, name), f'numpy.{core}.multiarray.{name}')
            for core in ('core', '_core')  # as numpy 1 and numpy 2 write it
            for name in ('_reconstruct', 'scalar')
        ),
    ]


def _statistic(owner: object, name: str) -> Callable[..., object]:
    """Do what ``getattr`` is needed for in a checkpoint: read a ``HistoryBuffer``'s statistics."""
    from mmengine.logging import HistoryBuffer

    HistoryBuffer()  # the first of a process fills the list of statistics
    if owner is not HistoryBuffer or name not in HistoryBuffer._statistics_methods:
        raise UnpicklingError(f'getattr({owner!r}, {name!r}) in a checkpoint is not safe')
    return HistoryBuffer._statistics_methods[name]
