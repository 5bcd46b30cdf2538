"""ResNet-56 teaches ResNet-20 on CIFAR-100 (paper): what TST adds."""

_base_ = [
    './kd_resnet56_resnet20_1xb128-240e_cifar100.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
