"""VGG-13 teaches MobileNetV2 of half width on CIFAR-100 (paper): what TST adds."""

_base_ = [
    './kd_vgg13_mobilenet-v2_1xb128-240e_cifar100.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
