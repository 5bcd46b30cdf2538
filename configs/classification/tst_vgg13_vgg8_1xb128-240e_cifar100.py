"""VGG-13 teaches VGG-8 on CIFAR-100 (paper): what TST adds."""

_base_ = [
    './kd_vgg13_vgg8_1xb128-240e_cifar100.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
