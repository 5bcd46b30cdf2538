"""Data sets without a sample: the error says which folder and suffix were looked for."""

from typing import Any

from mmengine.dataset import BaseDataset

#: The attributes by which a data set finds its samples, in the order of the message.
_FOUND_BY = ('ann_file', 'data_root', 'data_prefix', 'img_suffix', 'seg_map_suffix')


def explain_empty_data(error: BaseException | None) -> ValueError | None:
    """Give the error to show where building an empty data set has failed.

    MMEngine lets through numpy's "need at least one array to concatenate", which names nothing.

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
