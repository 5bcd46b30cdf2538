"""Ablation: a label counts as far as the teacher believes it on that very image."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(label_trust=True)
