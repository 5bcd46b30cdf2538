"""RetinaNet X101 teaches RetinaNet R50 (paper): what TST adds to KD with mimic."""

_base_ = ['./kd-mimic_retinanet_x101-r50_2x_coco.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
