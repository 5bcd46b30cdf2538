"""``tools/train.py CONFIG --dry-run`` on two shipped configs, whole networks on tiny data."""

import pytest
from test_configs.tiny_data import write_cifar100

PAIRS = {
    'tst_resnet56_resnet20': (
        'student 278,324   teacher 861,620   policy 25',
        '2 + 2 + 2 + 2 + 2 steps',
    ),
    'kd_vgg13_vgg8': ('student 3,965,028   teacher 9,462,180', None),
}


@pytest.mark.configs
@pytest.mark.filterwarnings('ignore:Unnecessary conv bias')
@pytest.mark.parametrize('pair', PAIRS)
def test_dry_run(tool, root, tmp_path, monkeypatch, pair):
    from mmpretrain.datasets import CIFAR100

    for split in ('train', 'test'):  # the published checksums are not those of a tiny file
        monkeypatch.setattr(CIFAR100, f'{split}_list', [[split, None]])
    monkeypatch.chdir(root)
    write_cifar100(tmp_path / 'cifar100', count=32)
    options = [
        'model.teacher.checkpoint=random',
        'train_dataloader.batch_size=4',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        f'train_dataloader.dataset.data_root={tmp_path / "cifar100"}',
        f'val_dataloader.dataset.data_root={tmp_path / "cifar100"}',
    ]
    config = f'configs/classification/{pair}_1xb128-240e_cifar100.py'
    code, out, err = tool('train.py', config, '--dry-run', '--cfg-options', *options)
    assert code == 0, err
    counts, stages = PAIRS[pair]
    for expected in (f'parameters      {counts}', '1920 steps', 'peak memory', 'about'):
        assert expected in out
    assert ('augmenter step' in out) == (stages is not None) and (stages or '') in out
