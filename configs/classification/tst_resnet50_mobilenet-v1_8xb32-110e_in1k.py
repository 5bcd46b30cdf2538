"""ResNet-50 teaches MobileNetV1 on ImageNet (paper): what TST adds."""

_base_ = ['./kd_resnet50_mobilenet-v1_8xb32-110e_in1k.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
