"""MobileNetV2 of half width on CIFAR-100, without a teacher."""

_base_ = [
    '../_base_/models/cifar_classifier.py',
    '../_base_/datasets/cifar100.py',
    '../_base_/schedules/cifar100_240e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(type='tst_mm.CIFARMobileNetV2', widen_factor=0.5),
    head=dict(in_channels=1280),
)
