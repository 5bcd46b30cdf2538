"""WRN-40-2 teaches WRN-16-2 on CIFAR-100 (paper): what TST adds."""

_base_ = [
    './kd_wrn-40-2_wrn-16-2_1xb128-240e_cifar100.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
