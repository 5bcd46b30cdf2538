"""ResNet-110 teaches ResNet-32 on CIFAR-100 (paper): TST exactly as published."""

_base_ = [
    './kd_resnet110_resnet32_1xb128-240e_cifar100.py',
    '../_base_/schedules/paper_cifar100_240e_2x30.py',
    '../_base_/models/tst_paper.py',
]

model = {{_base_.paper}}
