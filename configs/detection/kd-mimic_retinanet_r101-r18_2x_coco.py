"""RetinaNet R101 teaches RetinaNet R18: KD of class logits and features."""

_base_ = ['./kd_retinanet_r101-r18_2x_coco.py']

model = dict(mimic=True)
