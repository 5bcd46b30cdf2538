"""RetinaNet X101 teaches RetinaNet R50 (paper): KD of class logits and features."""

_base_ = ['./kd_retinanet_x101-r50_2x_coco.py']

model = dict(mimic=True)
