"""Ablation: the augmenter looks for what the teacher is good at."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(objective=dict(student_weight=0))
