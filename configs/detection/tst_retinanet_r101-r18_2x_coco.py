"""RetinaNet R101 teaches RetinaNet R18: what TST adds."""

_base_ = ['./kd_retinanet_r101-r18_2x_coco.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
