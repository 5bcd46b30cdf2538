"""FCOS R101 teaches FCOS R50 (paper): TST exactly as published, with mimic."""

_base_ = [
    './kd-mimic_fcos_r101-r50_ms-2x_coco.py',
    '../_base_/schedules/paper_coco_2x.py',
    '../_base_/models/tst_paper_dense.py',
]

model = {{_base_.paper}}
