"""PSPNet R101 teaches PSPNet MobileNetV2: what TST adds."""

_base_ = [
    './kd_pspnet_r101-mobilenet-v2_8xb2-80k_cityscapes-512x1024.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
