"""Faster R-CNN R101 teaches Faster R-CNN R50: KD of class logits and features."""

_base_ = ['./kd_faster-rcnn_r101-r50_2x_coco.py']

model = dict(mimic=True)
