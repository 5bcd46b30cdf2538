"""The same student, with TST: what it adds to pspnet_kd.py."""

_base_ = ['./pspnet_kd.py', '../_base_/schedules/demo_dense_stages.py']

model = dict(
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
    batch_mode='split',
)
