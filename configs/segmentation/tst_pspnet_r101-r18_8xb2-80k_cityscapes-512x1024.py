"""PSPNet R101 teaches PSPNet R18 (paper): what TST adds."""

_base_ = [
    './kd_pspnet_r101-r18_8xb2-80k_cityscapes-512x1024.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
