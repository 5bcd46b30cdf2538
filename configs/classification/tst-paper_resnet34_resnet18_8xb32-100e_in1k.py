"""ResNet-34 teaches ResNet-18 on ImageNet (paper): TST exactly as published."""

_base_ = [
    './kd_resnet34_resnet18_8xb32-100e_in1k.py',
    '../_base_/schedules/paper_in1k.py',
    '../_base_/models/tst_paper.py',
]

model = {{_base_.paper}}
