"""Faster R-CNN R50 teaches Faster R-CNN R18: what TST adds to KD with mimic."""

_base_ = ['./kd-mimic_faster-rcnn_r50-r18_2x_coco.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
