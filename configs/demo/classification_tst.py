"""The same student, with TST: what it adds to classification_kd.py."""

_base_ = ['./classification_kd.py']

model = dict(
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
    batch_mode='split',
)
custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        stages=[dict(begin=30, length=10), dict(begin=80, length=10)],
    )
]
