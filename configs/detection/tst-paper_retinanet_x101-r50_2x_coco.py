"""RetinaNet X101 teaches RetinaNet R50 (paper): TST exactly as published."""

_base_ = [
    './kd_retinanet_x101-r50_2x_coco.py',
    '../_base_/schedules/paper_coco_2x.py',
    '../_base_/models/tst_paper_dense.py',
]

model = {{_base_.paper}}
