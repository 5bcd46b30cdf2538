"""DeepLabV3 R101 teaches DeepLabV3 R18: what TST adds."""

_base_ = [
    './kd_deeplabv3_r101-r18_8xb2-80k_cityscapes-512x1024.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
