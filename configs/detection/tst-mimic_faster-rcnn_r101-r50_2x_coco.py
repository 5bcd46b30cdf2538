"""Faster R-CNN R101 teaches Faster R-CNN R50: what TST adds to KD with mimic."""

_base_ = ['./kd-mimic_faster-rcnn_r101-r50_2x_coco.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
