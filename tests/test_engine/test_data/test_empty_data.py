"""Data sets without a sample."""

import pytest

from tst_mm.engine.data.empty_data import explain_empty_data
from tst_mm.engine.launch import train

from ..toy import toy_config


def folders(tmp_path):
    for name in ('images', 'labels'):
        (tmp_path / name).mkdir()
        (tmp_path / name / '0.png').touch()
    return {
        'type': 'mmseg.BaseSegDataset',
        'data_root': str(tmp_path),
        'data_prefix': {'img_path': 'images', 'seg_map_path': 'labels'},
        'metainfo': {'classes': ('a',)},
        'pipeline': [],
    }


@pytest.mark.parametrize('wrapped', [False, True])
@pytest.mark.parametrize('serialize', [False, True])
def test_folder_and_suffix_are_named(tmp_path, wrapped, serialize):
    config = toy_config(tmp_path / 'work', {'stages': []})
    dataset = {**folders(tmp_path), 'img_suffix': '.jpg', 'serialize_data': serialize}
    if wrapped:
        dataset = {'type': 'RepeatDataset', 'dataset': dataset, 'times': 2}
    config.train_dataloader.dataset = dataset
    with pytest.raises(ValueError) as error:
        train(config)
    for word in ('BaseSegDataset has no sample', '.jpg', 'images', 'img_suffix'):
        assert word in str(error.value)


@pytest.mark.parametrize('by_epoch', [False, True])
def test_less_than_a_batch_is_named(tmp_path, by_epoch):
    """Also where a schedule in epochs asks first for the length of one."""
    config = toy_config(tmp_path / 'work', {'stages': []})
    if by_epoch:
        config.param_scheduler = {'type': 'CosineAnnealingLR', 'convert_to_iter_based': True}
    config.train_dataloader.update(batch_size=50, drop_last=True)
    with pytest.raises(ValueError, match='32 training samples are less than one batch of 50.*drop'):
        train(config)


def test_other_errors_are_their_own():
    try:
        raise ValueError('need at least one array to concatenate')
    except ValueError as error:
        assert explain_empty_data(error) is None
