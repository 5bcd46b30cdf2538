"""Ablation: the objective in the words of the paper, CE(teacher) - CE(student)."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(objective=dict(form='difference'))
