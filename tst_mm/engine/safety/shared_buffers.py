"""One set of norm statistics where they are read."""

from mmengine.dist import broadcast
from torch import nn


def share_buffers(model: nn.Module) -> None:
    """Give every rank the buffers of rank 0, which are those that a checkpoint keeps.

    MMEngine leaves each rank the running statistics of its own batches. Without this, ranks would
    look at different networks, and a resumed run at others than the one it continues.

    Args:
        model: The same on every rank; every rank must call it at the same point.
    """
    for buffer in model.buffers():
        broadcast(buffer)
