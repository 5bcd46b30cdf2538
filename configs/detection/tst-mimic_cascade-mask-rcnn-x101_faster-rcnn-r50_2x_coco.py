"""Cascade Mask R-CNN X101 teaches Faster R-CNN R50 (paper): what TST adds to KD with mimic."""

_base_ = [
    './kd-mimic_cascade-mask-rcnn-x101_faster-rcnn-r50_2x_coco.py',
    '../_base_/schedules/tst.py',
]

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
