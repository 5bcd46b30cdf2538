"""VGG-13 teaches MobileNetV2 of half width on CIFAR-100 (paper): TST exactly as published."""

_base_ = [
    './kd_vgg13_mobilenet-v2_1xb128-240e_cifar100.py',
    '../_base_/schedules/paper_cifar100_240e_2x30.py',
    '../_base_/models/tst_paper.py',
]

model = {{_base_.paper}}
