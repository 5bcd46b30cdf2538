"""Data without a sample or a batch: the error says what was looked for."""

from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.dist import get_world_size
from torch.utils.data import DataLoader

#: The attributes by which a data set finds its samples, in the order of the message.
_FOUND_BY = ('ann_file', 'data_root', 'data_prefix', 'img_suffix', 'seg_map_suffix')


def explain_empty_data(error: BaseException | None) -> ValueError | None:
    """Give the error to show where an empty data set, or a loader without a batch, has failed.

    MMEngine lets through numpy's "need at least one array to concatenate", and a schedule's
    "epoch_length must be a positive integer", which name nothing.

    Args:
        error: The error that came out of building or training.

    Returns:
        An error that names the data set and where it looked; None when the cause is another.
    """
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            owner = trace.tb_frame.f_locals.get('self')
            building = trace.tb_frame.f_code.co_name == 'full_init'
            if building and isinstance(owner, BaseDataset) and not owner.data_list:
                return ValueError(describe_empty_data(owner))
            if trace.tb_frame.f_code.co_name == 'build_param_scheduler':
                loader = getattr(owner, 'train_dataloader', None)
                if isinstance(loader, DataLoader) and not len(loader):
                    return ValueError(describe_no_batch(loader))
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
    return None


def describe_empty_data(dataset: Any) -> str:
    """Say that a data set is empty, and by what its samples are found."""
    while not isinstance(dataset, BaseDataset) and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    given = {name: getattr(dataset, name, None) for name in _FOUND_BY}
    words = ', '.join(f'{name}={value!r}' for name, value in given.items() if value)
    return (
        f'the data set {type(dataset).__name__} has no sample: nothing was found by '
        f'{words or "its arguments"}. Check that the folders hold such files, and that '
        'filter_cfg and the classes of metainfo leave some of them'
    )


def describe_no_batch(loader: DataLoader) -> str:
    """Say why a loader has no batch."""
    count = len(loader.dataset)  # type: ignore[arg-type]
    if not count:
        return describe_empty_data(loader.dataset)
    return (
        f'{count} training samples are less than one batch of {loader.batch_size} on each of '
        f'{get_world_size()} processes, and drop_last leaves none; allowed: a smaller batch_size, '
        'or drop_last=False'
    )
