"""ResNet-32x4 teaches ShuffleNetV1 on CIFAR-100 (paper): TST exactly as published."""

_base_ = ['./tst_resnet32x4_shufflenet-v1_1xb128-240e_cifar100.py', '../_base_/models/tst_paper.py']

model = {{_base_.paper}}
