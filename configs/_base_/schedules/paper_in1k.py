"""The paper's augmenter stages for ImageNet: two, of 5 epochs each."""

custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        stages=[dict(begin=10, length=5), dict(begin=25, length=5)],
        search=dict(type='tst_mm.GradientSearch'),
    )
]
