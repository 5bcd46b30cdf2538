"""ResNet-34 teaches ResNet-18 on ImageNet (paper): what TST adds."""

_base_ = ['./kd_resnet34_resnet18_8xb32-100e_in1k.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
