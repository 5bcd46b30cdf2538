"""Ablation: every image augmented, whatever the student needs."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(batch_mode=1.0)
