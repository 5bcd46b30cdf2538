"""Cascade Mask R-CNN X101 teaches Faster R-CNN R50 (paper): what TST adds."""

_base_ = [
    './kd_cascade-mask-rcnn-x101_faster-rcnn-r50_2x_coco.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
