"""RetinaNet R101 teaches RetinaNet R18: what TST adds to KD with mimic."""

_base_ = ['./kd-mimic_retinanet_r101-r18_2x_coco.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
