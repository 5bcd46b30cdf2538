"""RetinaNet X101 teaches RetinaNet R50 (paper): what TST adds."""

_base_ = ['./kd_retinanet_x101-r50_2x_coco.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
