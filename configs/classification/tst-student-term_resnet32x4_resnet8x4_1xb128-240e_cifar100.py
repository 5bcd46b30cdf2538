"""Ablation: the augmenter looks for what the student is bad at."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(objective=dict(teacher_weight=0))
