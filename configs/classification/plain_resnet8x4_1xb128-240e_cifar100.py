"""ResNet-8x4 on CIFAR-100, without a teacher."""

_base_ = [
    '../_base_/models/cifar_classifier.py',
    '../_base_/datasets/cifar100.py',
    '../_base_/schedules/cifar100_240e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(type='tst_mm.CIFARResNet', depth=8, stem_channels=32, base_channels=64),
    head=dict(in_channels=256),
)
