"""Mend: MMEngine up to 0.10.7 cannot load its own checkpoints with torch >= 2.6.

Since 2.6 ``torch.load`` reads weights only, and refuses MMEngine's ``HistoryBuffer`` and the numpy
values in the message hub. They are declared safe, so that checkpoints of MMEngine load with the
safeguard on. The fork has a list of its own. Can go with the support of mmengine 0.10.7.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pickle import UnpicklingError
from types import ModuleType


@contextmanager
def loading_of_own_checkpoints(checkpoint: ModuleType) -> Iterator[None]:
    """Declare safe what MMEngine itself writes into a checkpoint.

    Args:
        checkpoint: ``mmengine.runner.checkpoint``.
    """
    yield
    import torch
    from mmengine.utils import digit_version

    is_fork = hasattr(checkpoint, 'get_torch_safe_globals')
    if not is_fork and digit_version(torch.__version__) >= digit_version('2.6'):
        torch.serialization.add_safe_globals(_written_by_mmengine())


def _written_by_mmengine() -> list[object]:
    """Classes and functions in MMEngine's checkpoints, with their names there where those vary."""
    import numpy as np
    from mmengine.logging import HistoryBuffer

    multiarray = (getattr(np, '_core', None) or np.core).multiarray
    kinds = (np.float64, np.float32, np.int64, np.int32, np.bool_)
    return [
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
    """``getattr`` for the only use in a checkpoint: the statistics of a ``HistoryBuffer``."""
    from mmengine.logging import HistoryBuffer

    if owner is not HistoryBuffer or name not in HistoryBuffer._statistics_methods:
        raise UnpicklingError(f'getattr({owner!r}, {name!r}) in a checkpoint is not safe')
    return HistoryBuffer._statistics_methods[name]
