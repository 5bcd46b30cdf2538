"""Ablation: the search looks for what the student has still to learn from the teacher."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(objective=dict(type='tst_mm.DisagreementObjective'))
