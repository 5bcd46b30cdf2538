"""One set of norm statistics on all ranks, where they are read."""

from mmengine.dist import all_reduce_params, broadcast, get_world_size
from torch import Tensor, nn

#: What norm layers call the statistics that they gather in training.
_STATISTICS = ('running_mean', 'running_var')


def share_buffers(model: nn.Module) -> None:
    """Give every rank the mean of all ranks' norm statistics, and else the buffers of rank 0.

    MMEngine leaves each rank the running statistics of its own batches. Without this, ranks would
    look at different networks. Sharing twice is sharing once, bit for bit. Buffers that are no
    running statistics (counters, queues of features, bases) have no meaningful mean.

    Args:
        model: The same on every rank; every rank must call it at the same point.
    """
    if get_world_size() == 1:
        return
    buffers = dict(model.named_buffers())
    statistics = {name: buffer for name, buffer in buffers.items() if _is_statistic(name, buffer)}
    # In double precision the mean of equal numbers is that number.
    means = [buffer.double() for buffer in statistics.values()]
    all_reduce_params(means, op='mean')
    for buffer, mean in zip(statistics.values(), means, strict=True):
        buffer.copy_(mean)
    for name, buffer in buffers.items():
        if name not in statistics:
            broadcast(buffer)


def _is_statistic(name: str, buffer: Tensor) -> bool:
    return buffer.is_floating_point() and name.rpartition('.')[2] in _STATISTICS
