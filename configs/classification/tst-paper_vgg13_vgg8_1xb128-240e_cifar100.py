"""VGG-13 teaches VGG-8 on CIFAR-100 (paper): TST exactly as published."""

_base_ = [
    './kd_vgg13_vgg8_1xb128-240e_cifar100.py',
    '../_base_/schedules/paper_cifar100_240e_7x5.py',
    '../_base_/models/tst_paper.py',
]

model = {{_base_.paper}}
