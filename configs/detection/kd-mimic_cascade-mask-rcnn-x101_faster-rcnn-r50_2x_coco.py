"""Cascade Mask R-CNN X101 teaches Faster R-CNN R50 (paper): KD of class logits and features."""

_base_ = ['./kd_cascade-mask-rcnn-x101_faster-rcnn-r50_2x_coco.py']

model = dict(mimic=True)
