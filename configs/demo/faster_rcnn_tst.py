"""The same student, with TST: what it adds to faster_rcnn_kd.py."""

_base_ = ['./faster_rcnn_kd.py', '../_base_/schedules/tst.py']

model = dict(
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
