"""ResNet-50 teaches MobileNetV1 on ImageNet (paper): TST exactly as published."""

_base_ = [
    './kd_resnet50_mobilenet-v1_8xb32-110e_in1k.py',
    '../_base_/schedules/paper_in1k.py',
    '../_base_/models/tst_paper.py',
]

model = {{_base_.paper}}
