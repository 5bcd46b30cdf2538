"""PSPNet R101 teaches PSPNet R18 (paper): TST exactly as published."""

_base_ = [
    './kd_pspnet_r101-r18_8xb2-80k_cityscapes-512x1024.py',
    '../_base_/schedules/paper_cityscapes_80k.py',
    '../_base_/models/tst_paper_dense.py',
]

model = {{_base_.paper}}
