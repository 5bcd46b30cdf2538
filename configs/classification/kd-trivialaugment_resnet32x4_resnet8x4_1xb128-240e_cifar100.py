"""KD at the cost of TST, with one operator an image at a uniformly random magnitude."""

_base_ = ['./kd-randaugment_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

# As TrivialAugment draws them, with the operators and ranges that mmpretrain has for RandAugment.
datasets = _base_.train_dataloader.dataset.datasets
datasets[1].pipeline[2].update(num_policies=1, magnitude_level=10, magnitude_std='inf')
train_dataloader = dict(dataset=dict(datasets=datasets))
