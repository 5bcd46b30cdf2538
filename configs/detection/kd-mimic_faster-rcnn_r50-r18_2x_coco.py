"""Faster R-CNN R50 teaches Faster R-CNN R18: KD of class logits and features."""

_base_ = ['./kd_faster-rcnn_r50-r18_2x_coco.py']

model = dict(mimic=True)
