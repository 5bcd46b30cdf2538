"""RetinaNet X101 teaches RetinaNet R50 (paper): what TST adds in short stages, spread."""

_base_ = ['./kd_retinanet_x101-r50_2x_coco.py', '../_base_/schedules/tst_coco_2x_spread.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
