"""WRN-40-2 teaches ShuffleNetV1 on CIFAR-100 (paper): TST exactly as published."""

_base_ = [
    './kd_wrn-40-2_shufflenet-v1_1xb128-240e_cifar100.py',
    '../_base_/schedules/paper_cifar100_240e_7x5.py',
    '../_base_/models/tst_paper.py',
]

model = {{_base_.paper}}
