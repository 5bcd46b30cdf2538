"""Faster R-CNN R50 teaches Faster R-CNN R18: what TST adds."""

_base_ = ['./kd_faster-rcnn_r50-r18_2x_coco.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
