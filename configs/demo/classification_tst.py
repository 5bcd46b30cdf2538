"""The same student, with TST: what it adds to classification_kd.py."""

_base_ = ['./classification_kd.py']

model = dict(
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
    batch_mode='split',
)
custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        by_epoch=False,
        stages=[dict(begin=300, length=100), dict(begin=800, length=100)],
    )
]
