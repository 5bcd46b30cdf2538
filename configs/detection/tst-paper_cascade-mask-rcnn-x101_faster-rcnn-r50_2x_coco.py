"""Cascade Mask R-CNN X101 teaches Faster R-CNN R50 (paper): TST exactly as published."""

_base_ = [
    './kd_cascade-mask-rcnn-x101_faster-rcnn-r50_2x_coco.py',
    '../_base_/schedules/paper_coco_2x.py',
    '../_base_/models/tst_paper_dense.py',
]

model = {{_base_.paper}}
