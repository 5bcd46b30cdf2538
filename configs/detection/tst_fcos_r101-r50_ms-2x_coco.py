"""FCOS R101 teaches FCOS R50 (paper): what TST adds."""

_base_ = ['./kd_fcos_r101-r50_ms-2x_coco.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
