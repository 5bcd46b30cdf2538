"""FCOS R101 teaches FCOS R50 (paper): KD of class logits and features."""

_base_ = ['./kd_fcos_r101-r50_ms-2x_coco.py']

model = dict(mimic=True)
