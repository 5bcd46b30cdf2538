"""Ablation: 21 operators to choose from in place of 14."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(augmenter=dict(operators='wide'))
