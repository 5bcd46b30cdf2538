"""The same student, with TST: what it adds to pspnet_kd.py."""

_base_ = ['./pspnet_kd.py', '../_base_/schedules/tst.py']

model = dict(
    # Two operators an image, of four by default: more is too much for the few steps.
    augmenter=dict(type='tst_mm.LearnedAugmenter', num_ops=2),
)
