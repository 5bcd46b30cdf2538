"""Ablation: 1 operator drawn for an image in place of 2."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(augmenter=dict(num_ops=1))
