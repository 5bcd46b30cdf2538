"""KD at the cost of TST, with RandAugment: a step has about as many clean images."""

_base_ = ['./kd_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

random = dict(
    type='RandAugment',
    policies='timm_increasing',
    num_policies=2,
    total_level=10,
    magnitude_level=9,
    magnitude_std=0.5,
)
clean = _base_.train_dataloader.dataset
augmented = dict(type='CIFAR100', data_root='data/cifar100', split='train')
augmented['pipeline'] = [*_base_.train_pipeline[:2], random, dict(type='PackInputs')]
train_dataloader = dict(
    batch_size=256,
    dataset=dict(_delete_=True, type='ConcatDataset', datasets=[clean, augmented]),
)
auto_scale_lr = dict(base_batch_size=256)
