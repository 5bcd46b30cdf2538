"""The same student, with TST: what it adds to classification_kd.py."""

_base_ = ['./classification_kd.py']

model = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))
custom_hooks = [
    dict(type='tst_mm.AlternatingScheduleHook', dataloader=dict(batch_size=16)),
]
