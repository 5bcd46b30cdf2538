"""ResNet-32x4 teaches ShuffleNetV1 on CIFAR-100 (paper): what TST adds."""

_base_ = [
    './kd_resnet32x4_shufflenet-v1_1xb128-240e_cifar100.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
