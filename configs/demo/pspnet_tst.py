"""The same student, with TST: what it adds to pspnet_kd.py."""

_base_ = ['./pspnet_kd.py', '../_base_/schedules/tst.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
