"""ResNet-18 on ImageNet without a teacher, on the schedule of its distillation."""

_base_ = [
    'mmpretrain::_base_/models/resnet18.py',
    'mmpretrain::_base_/datasets/imagenet_bs32.py',
    '../_base_/schedules/in1k_100e.py',
    '../_base_/default_runtime.py',
]
