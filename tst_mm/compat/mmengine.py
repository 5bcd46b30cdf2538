"""Mend: MMEngine up to 0.10.7 cannot load its own checkpoints with torch >= 2.6.

``torch.load`` reads weights only since 2.6 and refuses MMEngine's ``HistoryBuffer`` and the numpy
values in the message hub. They are declared safe, which lets checkpoints of MMEngine load without
switching the safeguard off. The fork does the same by itself. Can go with the support of
mmengine 0.10.7.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def loading_of_own_checkpoints(checkpoint: ModuleType) -> Iterator[None]:
    """Declare safe what MMEngine itself writes into a checkpoint.

    Args:
        checkpoint: ``mmengine.runner.checkpoint``.
    """
    yield
    import torch

    if hasattr(checkpoint, 'get_torch_safe_globals'):  # the fork
        return
    if not hasattr(torch.serialization, 'add_safe_globals'):  # before the safeguard
        return
    import numpy as np
    from mmengine.logging import HistoryBuffer

    multiarray = getattr(np, '_core', None) or np.core
    dtypes = {
        type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64, np.int32, np.bool_)
    }
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            np.ndarray,
            np.dtype,
            multiarray.multiarray._reconstruct,
            multiarray.multiarray.scalar,
            *dtypes,
        ]
    )
